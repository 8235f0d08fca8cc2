using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>The page that lists every message lists every message.</summary>
public sealed partial class TroubleshootingTests
{
    private const string Begin = "<!-- messages: ./build.sh docs writes this part -->", End = "<!-- end of messages -->";

    [Fact]
    public void Page_Messages_AreThoseOfTheSources()
    {
        string path = Path.Combine(Paths.Root, "docs", "troubleshooting.md"), page = File.ReadAllText(path).ReplaceLineEndings("\n");
        IReadOnlyList<SourceMessage> messages = SourceMessages.Read(Path.Combine(Paths.Root, "src"));
        Assert.True(messages.Count > 150, $"only {messages.Count} messages were found in the sources");
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"docs/troubleshooting.md lacks its marks '{Begin}' and '{End}'.");
        string listed = page[(begin + Begin.Length)..end], expected = Write(messages);
        if (Environment.GetEnvironmentVariable("SKMMBERT_ACCEPT_DOCS") == "1")
        {
            File.WriteAllText(path, page[..(begin + Begin.Length)] + expected + page[end..]);
            return;
        }

        string[] before = listed.Split('\n'), after = expected.Split('\n');
        string difference = string.Join('\n', before.Except(after).Select(line => "gone " + line).Concat(after.Except(before).Select(line => "new  " + line)));
        Assert.True(difference.Length == 0 && listed == expected, $"docs/troubleshooting.md does not list the messages of the sources:\n{difference}\nRun ./build.sh docs.");
    }

    // A cause is explained under the first words of its message, so those words must still be in a message.
    [Fact]
    public void Page_ExplainedMessages_Exist()
    {
        string page = File.ReadAllText(Path.Combine(Paths.Root, "docs", "troubleshooting.md")).ReplaceLineEndings("\n");
        string[] explained = [.. Explained().Matches(page[..page.IndexOf(Begin, StringComparison.Ordinal)]).Select(match => match.Groups["words"].Value)];
        Assert.True(explained.Length >= 15, $"only {explained.Length} messages are explained");
        string[] messages = [.. SourceMessages.Read(Path.Combine(Paths.Root, "src")).Select(message => message.Text)];
        string[] unknown = [.. explained.Where(words => !messages.Any(message => message.Contains(words.Trim('…', ' '), StringComparison.Ordinal)))];
        Assert.True(unknown.Length == 0, "docs/troubleshooting.md explains messages that the product does not have:\n" + string.Join('\n', unknown));
    }

    [Theory]
    [InlineData("throw new FormatException($\"'{a}' is bad. Expected: {b}.\");", "'…' is bad. Expected: ….")]
    [InlineData("throw new FormatException(a ? \"one way\" : $\"{b} other\" + \" way\");", "one way|… other way")]
    [InlineData("string why = a switch { 1 => \"no such thing\", _ => $\"{b} too many\" }; throw new FormatException(why);", "no such thing|… too many")]
    [InlineData("throw new ArgumentOutOfRangeException(nameof(a), a, \"must be small\");", "must be small")]
    [InlineData("throw Bad($\"found {a} there\"); FormatException Bad(string why) => new($\"It is broken: {why}.\");", "found … there|It is broken: ….")]
    [InlineData("string text = $\"Found {a}. Expected: b.\";", "Found …. Expected: b.")]
    [InlineData("string text = \"no message at all\"; var list = new List<string>(\"a b\");", "")]
    public void Messages_OfACode_AreItsFixedWords(string code, string expected)
    {
        IEnumerable<string> found = SourceMessages.Messages(CSharpSyntaxTree.ParseText($"class C {{ void M() {{ {code} }} }}").GetRoot(), new HashSet<string> { "Bad" });
        Assert.Equal(expected, string.Join('|', found));
    }

    private static string Write(IReadOnlyList<SourceMessage> messages)
    {
        StringBuilder text = new("\n");
        foreach (IGrouping<string, SourceMessage> room in messages.GroupBy(message => message.Project + (message.Room.Length == 0 ? "" : "/" + message.Room)).OrderBy(room => room.Key, StringComparer.Ordinal))
        {
            text.Append("\n### ").Append(room.Key).Append("\n\n");
            Append(room.Where(message => message.IsWhole));
            SourceMessage[] reasons = [.. room.Where(message => !message.IsWhole)];
            if (reasons.Length > 0)
            {
                text.Append("\nReasons and expectations that stand in them:\n\n");
                Append(reasons);
            }
        }

        return text.Append('\n').ToString();

        void Append(IEnumerable<SourceMessage> some)
        {
            foreach (string message in some.Select(message => message.Text).Distinct().Order(StringComparer.Ordinal))
            {
                string fence = message.Contains('`') ? "``" : "`";
                text.Append("- ").Append(fence).Append(message).Append(fence).Append('\n');
            }
        }
    }

    [GeneratedRegex(@"^\*\*`(?<words>[^`]+)`\*\*", RegexOptions.Multiline)]
    private static partial Regex Explained();
}
