using System.Net;
using System.Text.RegularExpressions;

namespace SkMmBert;

/// <summary>What a rendered prompt asks: its last user message, or all of it where it has no messages.</summary>
internal static partial class PromptQuestion
{
    public static string Of(string prompt)
    {
        Match last = UserMessage().Matches(prompt).LastOrDefault() ?? Match.Empty;
        return last.Success ? WebUtility.HtmlDecode(Tag().Replace(last.Groups["text"].Value, " ")).Trim() : prompt;
    }

    [GeneratedRegex("""<message\s[^>]*role\s*=\s*["']user["'][^>]*>(?<text>.*?)</message>""", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex UserMessage();

    [GeneratedRegex("<[^<>]*>")]
    private static partial Regex Tag();
}
