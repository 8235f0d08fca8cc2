using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Rules of the house that a compiler does not check.</summary>
public sealed partial class HouseTests
{
    private const int LongestFile = 500;

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(Path.Combine(Paths.Root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    [Fact]
    public void Core_OnnxRuntime_IsNamedInOneFile()
    {
        string[] files = [.. Sources("src/SkMmBert").Where(file => File.ReadLines(file).Any(line => line.Contains("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal) && !line.TrimStart().StartsWith("//", StringComparison.Ordinal))).Select(file => Path.GetRelativePath(Paths.Root, file).Replace('\\', '/'))];
        Assert.Equal(["src/SkMmBert/Layers/EncoderSession.cs"], files);
    }

    [Fact]
    public void Core_InterfaceOfOnnxRuntime_IsNamedInOneFile()
    {
        string[] files = [.. Sources("src").Where(file => File.ReadAllText(file).Contains("OrtGetApiBase", StringComparison.Ordinal)).Select(file => Path.GetRelativePath(Paths.Root, file).Replace('\\', '/'))];
        Assert.Equal(["src/SkMmBert/Layers/OwnOperators.cs"], files);
    }

    [Fact]
    public void Core_References_AreTheAllowedOnes()
    {
        string[] allowed = ["Microsoft.Extensions.AI.Abstractions", "Microsoft.ML.OnnxRuntime", "System.Numerics.Tensors"];
        AssemblyName[] references = typeof(MmBertModel).Assembly.GetReferencedAssemblies();
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string[] others = [.. references.Select(reference => reference.Name!).Where(name => !allowed.Contains(name) && !File.Exists(Path.Combine(framework, name + ".dll")))];
        Assert.Empty(others);
        Assert.DoesNotContain(references, reference => reference.Name is "System.Net.Http" or "System.Console");
    }

    [Fact]
    public void Core_Sources_AskTheEnvironmentNothing()
    {
        string[] found = [.. Sources("src/SkMmBert").SelectMany(file => File.ReadLines(file).Select((line, i) => (file, line, number: i + 1)))
            .Where(at => !at.line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Forbidden().IsMatch(at.line))
            .Select(at => $"{Path.GetRelativePath(Paths.Root, at.file)}:{at.number}: {at.line.Trim()}")];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [Fact]
    public void Sources_Files_AreShortEnough()
    {
        string[] long_ = [.. Sources("src").Concat(Sources("tests")).Where(file => Path.GetFileName(file) != "ModernBertGraph.cs")
            .Select(file => (file, lines: File.ReadLines(file).Count())).Where(file => file.lines > LongestFile)
            .Select(file => $"{Path.GetRelativePath(Paths.Root, file.file)} has {file.lines} lines")];
        Assert.True(long_.Length == 0, string.Join('\n', long_) + $"\nExpected: at most {LongestFile}. Give the file one noun.");
    }

    [Fact]
    public void Sources_Files_AreMostlyMuchShorter()
    {
        int[] lines = [.. Sources("src").Select(file => File.ReadLines(file).Count()).Order()];
        Assert.InRange(lines[lines.Length / 2], 1, 100);
        Assert.InRange(lines[lines.Length * 9 / 10], 1, 300);
    }

    [Fact]
    public void Core_Namespace_IsFlat()
    {
        string[] others = [.. typeof(MmBertModel).Assembly.GetExportedTypes().Where(type => type.Namespace != "SkMmBert").Select(type => type.FullName!)];
        Assert.Empty(others);
    }

    [Fact]
    public void Core_PublicInterfaces_AreNone() => Assert.DoesNotContain(typeof(MmBertModel).Assembly.GetExportedTypes(), type => type.IsInterface);

    [Fact]
    public void Libraries_PublicSurface_OfEachIsAccepted()
    {
        string[] programsAndContent = ["SkMmBert.Cli", "SkMmBert.Mini"];
        string[] without = [.. Directory.GetDirectories(Path.Combine(Paths.Root, "src")).Select(folder => Path.GetFileName(folder)).Except(programsAndContent)
            .Where(name => !File.Exists(Path.Combine(Paths.Root, "tests", name + ".Tests", "Architecture", "PublicApi.txt")))];
        Assert.True(without.Length == 0, $"{string.Join(", ", without)} without an accepted public surface. Expected: tests/Shared/Architecture linked into its tests, then ./build.sh api");
    }

    [GeneratedRegex(@"\bConsole\.|GetEnvironmentVariable|HttpClient|DateTime(Offset)?\.(Utc)?Now\b|Random\.Shared|new Random\(|\.Result\b(?!\w)|\.GetAwaiter\(\)\.GetResult")]
    private static partial Regex Forbidden();
}
