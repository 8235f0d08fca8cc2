using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>The index of the pages names every page.</summary>
public sealed class IndexTests
{
    [Fact]
    public void Index_Pages_AreAll()
    {
        IEnumerable<string> pages = Directory.EnumerateFiles(Path.Combine(Paths.Root, "docs"), "*.md").Select(file => Path.GetFileName(file)!).Where(name => name != "README.md").Order(StringComparer.Ordinal);
        IEnumerable<string> lines = pages.Select(name => $"- [{CodeBlock.Text("docs/" + name).Split('\n').First(line => line.StartsWith("# ", StringComparison.Ordinal))[2..]}]({name})");
        new WrittenPart("docs/README.md", "pages").MustBe("\n\n" + string.Join('\n', lines) + "\n\n");
    }
}
