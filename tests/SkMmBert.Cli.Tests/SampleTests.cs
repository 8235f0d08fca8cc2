using System.Diagnostics;
using SkMmBert.Tests;
using Xunit;

namespace SkMmBert.Cli.Tests;

/// <summary>Every sample runs without a network and prints what its last comment says.</summary>
public sealed class SampleTests
{
    private const int LongestSample = 60;

    // What a registry may lack, by the property that says so and the reference that needs it.
    private static readonly (string Property, string Reference)[] s_optional =
        [("SemanticKernelMissing", "SkMmBert.SemanticKernel"), ("InMemoryConnectorMissing", "CommunityToolkit.VectorData.InMemory"), ("AgentFrameworkMissing", "SkMmBert.AgentFramework"), ("OpenAIClientMissing", "Microsoft.Extensions.AI.OpenAI")];

    public static TheoryData<string> Samples => [.. Directory.GetFiles(Path.Combine(Paths.Root, "samples"), "*.cs").Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_Run_PrintsWhatItSaysItPrints(string sample)
    {
        string path = Path.Combine(Paths.Root, "samples", sample);
        string[] lines = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
        Assert.True(lines.Length <= LongestSample, $"{sample} has {lines.Length} lines. Expected: at most {LongestSample}.");
        Assert.Matches("^[0-9]{2}-[a-z-]+\\.cs$", sample);
        string[] expected = [.. lines.SkipWhile(line => line != "// prints").Skip(1).Where(line => line.StartsWith("// ", StringComparison.Ordinal)).Select(line => line[3..])];
        Assert.NotEmpty(expected);
        if (Missing(lines) is { } missing)
        {
            Assert.Skip($"{sample} needs {missing}, whose packages are not on this registry.");
        }

        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["run", "-c", "Release", path])
        {
            WorkingDirectory = Paths.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await error);
        Assert.Equal(expected, output.TrimEnd().ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd()));
    }

    private static string? Missing(string[] lines)
    {
        string local = Path.Combine(Paths.Root, "eng", "feed", "local.props");
        string said = File.Exists(local) ? File.ReadAllText(local) : "";
        return s_optional.Where(optional => said.Contains(optional.Property, StringComparison.Ordinal) && lines.Any(line => line.StartsWith("#:", StringComparison.Ordinal) && line.Contains(optional.Reference, StringComparison.Ordinal))).Select(optional => optional.Reference).FirstOrDefault();
    }
}
