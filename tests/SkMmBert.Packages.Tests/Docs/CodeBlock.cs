using System.Text.RegularExpressions;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>A piece of C# on a page.</summary>
/// <param name="Page">The page, from the root of the repository.</param>
/// <param name="Line">Where it begins.</param>
/// <param name="Given">C# that stands before it in a comment a reader does not see: what it takes from elsewhere.</param>
internal sealed partial record CodeBlock(string Page, int Line, string Given, string Code)
{
    /// <summary>Every page that readers see.</summary>
    public static IEnumerable<string> Pages() => new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "THIRD-PARTY-NOTICES.md" }
        .Concat(Directory.EnumerateFiles(Path.Combine(Paths.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateDirectories(Path.Combine(Paths.Root, "src")).Select(project => Path.Combine(project, "README.md")).Where(File.Exists))
            .Select(file => Path.GetRelativePath(Paths.Root, file).Replace('\\', '/'))).Order(StringComparer.Ordinal);

    public static string Text(string page) => File.ReadAllText(Path.Combine(Paths.Root, page)).ReplaceLineEndings("\n");

    public static IEnumerable<CodeBlock> Read(string page, string text) =>
        Blocks().Matches(text).Select(match => new CodeBlock(page, text.AsSpan(0, match.Groups["code"].Index).Count('\n') + 1, match.Groups["given"].Value, match.Groups["code"].Value));

    [GeneratedRegex(@"(?:<!-- given:(?<given>.*?)-->\s*\n)?```(?:csharp|cs|c#)\n(?<code>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
