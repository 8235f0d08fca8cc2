using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>The page that lists every message lists every message.</summary>
public sealed partial class TroubleshootingTests
{
    private static readonly WrittenPart Part = new("docs/troubleshooting.md", "messages");

    [Fact]
    public void Page_Messages_AreThoseOfTheSources()
    {
        IReadOnlyList<SourceMessage> messages = SourceMessages.Read(Path.Combine(Paths.Root, "src"));
        Assert.True(messages.Count > 150, $"only {messages.Count} messages were found in the sources");
        Part.MustBe(Write(messages));
    }

    // A cause is explained under the first words of its message, so those words must still be in a message.
    [Fact]
    public void Page_ExplainedMessages_Exist()
    {
        string[] explained = [.. Explained().Matches(Part.Before()).Select(match => match.Groups["words"].Value)];
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
