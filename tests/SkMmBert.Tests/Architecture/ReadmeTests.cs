using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The C# of the README is that of the samples, so that it compiles and prints what it says.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void Readme_CSharpBlocks_AreTheSamples()
    {
        string readme = File.ReadAllText(Path.Combine(Paths.Root, "README.md")).ReplaceLineEndings("\n");
        Match[] blocks = [.. Blocks().Matches(readme).Cast<Match>()];
        Assert.NotEmpty(blocks);
        Assert.Equal(blocks.Length, readme.Split("```csharp").Length - 1); // each block names its sample
        foreach (Match block in blocks)
        {
            string path = Path.Combine(Paths.Root, block.Groups["file"].Value);
            Assert.True(File.Exists(path), $"README.md names {block.Groups["file"].Value}, which is not there.");
            string sample = string.Join('\n', File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n').Where(line => !line.StartsWith("#:", StringComparison.Ordinal))).Trim();
            Assert.True(sample == block.Groups["code"].Value.Trim(), $"README.md shows another text than {block.Groups["file"].Value}. Copy the sample into the README, without its #: lines.");
        }
    }

    [GeneratedRegex("<!-- (?<file>samples/[^ ]+\\.cs) -->\n```csharp\n(?<code>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
