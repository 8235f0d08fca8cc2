using System.Reflection;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The public surface of the library that these tests are for as a text beside them, so that a change of it is seen as a change.</summary>
public sealed class PublicApiTests
{
    private const string Tests = ".Tests";

    [Fact]
    public void PublicApi_Surface_IsTheOneThatWasAccepted()
    {
        string tests = typeof(PublicApiTests).Assembly.GetName().Name!;
        string path = Path.Combine(Paths.Root, "tests", tests, "Architecture", "PublicApi.txt");
        string now = PublicSurface.Of(Assembly.Load(tests[..^Tests.Length])), accepted = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (Environment.GetEnvironmentVariable("SKMMBERT_ACCEPT_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, now);
            return;
        }

        string[] before = accepted.Split('\n'), after = now.Split('\n');
        string difference = string.Join('\n', before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line)));
        Assert.True(now == accepted, $"The public API of {tests[..^Tests.Length]} is not the one in its PublicApi.txt:\n{difference}\nIf that is meant: ./build.sh api");
    }
}
