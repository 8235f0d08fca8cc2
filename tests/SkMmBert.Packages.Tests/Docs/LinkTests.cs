using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>Links and named files of the pages lead somewhere.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Pages_Links_LeadSomewhere()
    {
        List<string> wrong = [];
        foreach (string page in CodeBlock.Pages())
        {
            string text = Fenced().Replace(CodeBlock.Text(page), "");
            foreach (string target in Links().Matches(text).Select(match => match.Groups["target"].Value).Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)))
            {
                string[] parts = target.Split('#');
                string file = parts[0].Length == 0 ? page : Path.GetRelativePath(Paths.Root, Path.GetFullPath(Path.Combine(Paths.Root, Path.GetDirectoryName(page)!, Uri.UnescapeDataString(parts[0])))).Replace('\\', '/');
                if (!Path.Exists(Path.Combine(Paths.Root, file)))
                {
                    wrong.Add($"{page}: there is no '{file}'");
                }
                else if (parts.Length > 1 && file.EndsWith(".md", StringComparison.Ordinal) && !Anchors(file).Contains(parts[1]))
                {
                    wrong.Add($"{page}: '{file}' has no heading '#{parts[1]}'");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Pages_NamedFiles_Exist()
    {
        string[] wrong = [.. CodeBlock.Pages().SelectMany(page => NamedFiles().Matches(Fenced().Replace(CodeBlock.Text(page), "")).Select(match => match.Groups["file"].Value.TrimEnd('/'))
            .Where(file => !Path.Exists(Path.Combine(Paths.Root, file))).Select(file => $"{page} names '{file}', which is not there"))];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    // A verb that a page shows must exist.
    [Fact]
    public void Pages_Commands_AreVerbs()
    {
        string[] verbs = [.. Directory.EnumerateFiles(Path.Combine(Paths.Root, "src", "SkMmBert.Cli", "Verbs"), "*Verb.cs")
            .SelectMany(file => Verb().Matches(File.ReadAllText(file))).Select(match => match.Groups["name"].Value)];
        string[] wrong = [.. CodeBlock.Pages().SelectMany(page => Command().Matches(CodeBlock.Text(page)).Select(match => match.Groups["verb"].Value)
            .Where(verb => !verbs.Contains(verb)).Select(verb => $"{page} shows the verb '{verb}', which skmmbert does not have"))];
        Assert.True(verbs.Length > 8 && wrong.Length == 0, string.Join('\n', wrong.Distinct()));
    }

    private static HashSet<string> Anchors(string page) => [.. Headings().Matches(Fenced().Replace(CodeBlock.Text(page), "")).Select(match =>
        NotInAnchor().Replace(match.Groups["title"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"(?<!`)\[[^\]\n]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Links();

    // Patterns with stars and ranges are not names of files.
    [GeneratedRegex(@"`(?<file>(?:src|samples|docs|tests|models|eng|training|notebooks)/[A-Za-z0-9._/-]+)`")]
    private static partial Regex NamedFiles();

    [GeneratedRegex(@"^#{1,6} (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\p{L}\p{N}_ -]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"new(?: Command)?\(""(?<name>[a-z-]+)"", ""[A-Z]")]
    private static partial Regex Verb();

    [GeneratedRegex(@"(?:(?<=[`$( ]|^)skmmbert|build(?:\.sh|\.cmd)? run --) (?<verb>[a-z][a-z-]*)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
