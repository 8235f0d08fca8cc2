using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

public sealed class DocumentationTests
{
    [Fact]
    public void Page_Sample_IsTheOneThatRuns()
    {
        const string name = "samples/07-semantic-kernel.cs";
        string page = File.ReadAllText(Path.Combine(Paths.Root, "docs", "semantic-kernel.md")).ReplaceLineEndings("\n");
        string sample = string.Join('\n', File.ReadLines(Path.Combine(Paths.Root, name)).Where(line => !line.StartsWith("#:", StringComparison.Ordinal))).Trim();
        Assert.True(page.Contains($"<!-- {name} -->\n```csharp\n{sample}\n```", StringComparison.Ordinal), $"docs/semantic-kernel.md shows another text than {name}. Copy the sample into the page, without its #: lines.");
    }
}
