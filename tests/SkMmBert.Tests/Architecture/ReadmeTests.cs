using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>C# that a page shows as a sample is that sample, so that it compiles and prints what it says.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void Pages_BlocksOfSamples_AreTheSamples()
    {
        foreach (string page in Directory.EnumerateFiles(Path.Combine(Paths.Root, "docs"), "*.md").Prepend(Path.Combine(Paths.Root, "README.md")))
        {
            string name = Path.GetRelativePath(Paths.Root, page);
            foreach (Match block in Blocks().Matches(File.ReadAllText(page).ReplaceLineEndings("\n")))
            {
                string path = Path.Combine(Paths.Root, block.Groups["file"].Value);
                Assert.True(File.Exists(path), $"{name} names {block.Groups["file"].Value}, which is not there.");
                string sample = string.Join('\n', File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n').Where(line => !line.StartsWith("#:", StringComparison.Ordinal))).Trim();
                Assert.True(sample == block.Groups["code"].Value.Trim(), $"{name} shows another text than {block.Groups["file"].Value}. Copy the sample into the page, without its #: lines.");
            }
        }
    }

    [Fact]
    public void Readme_CSharpBlocks_AreAllSamples()
    {
        string readme = File.ReadAllText(Path.Combine(Paths.Root, "README.md")).ReplaceLineEndings("\n");
        int blocks = Blocks().Count(readme);
        Assert.NotEqual(0, blocks);
        Assert.Equal(blocks, readme.Split("```csharp").Length - 1);
    }

    [GeneratedRegex("<!-- (?<file>samples/[^ ]+\\.cs) -->\n```csharp\n(?<code>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
