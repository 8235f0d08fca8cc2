using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What routing reads of a conversation: the user's turns, and the tools that were called, wait for approval or are named.</summary>
internal sealed class ToolConversation
{
    /// <summary>One user turn and the names that came up from it to the next one, in order.</summary>
    /// <param name="Text">The text of the user's message, or of several in a row.</param>
    /// <param name="Names">Names of called tools and of those waiting for approval.</param>
    /// <param name="Searches">Queries of <c>find_tools</c> calls.</param>
    public sealed record Turn(string Text, List<string> Names, List<string> Searches);

    private readonly HashSet<string> _called = [];
    private readonly List<string> _texts = [];

    public List<Turn> Turns { get; } = [];

    public static ToolConversation Of(IEnumerable<ChatMessage> messages)
    {
        ToolConversation conversation = new();
        bool open = false;  // whether the last message was the user's, so that the next one belongs to the same turn
        foreach (ChatMessage message in messages)
        {
            string text = message.Role == ChatRole.System ? "" : string.Join('\n', message.Contents.OfType<TextContent>().Select(content => content.Text));
            if (EvidenceFormatter.IsQuotation(text))
            {
                continue;   // a memory's, put into the user's mouth
            }

            if (message.Role == ChatRole.User && !string.IsNullOrWhiteSpace(text))
            {
                if (open)
                {
                    conversation.Turns[^1] = conversation.Turns[^1] with { Text = conversation.Turns[^1].Text + "\n" + text };
                }
                else
                {
                    conversation.Turns.Add(new Turn(text, [], []));
                }
            }

            open = message.Role == ChatRole.User && (open || !string.IsNullOrWhiteSpace(text));
            if (text.Length > 0)
            {
                conversation._texts.Add(text);
            }

            conversation.Read(message);
        }

        return conversation;
    }

    /// <summary>The text to route a turn by: itself and the user turns before it, the latest first.</summary>
    public IReadOnlyList<string> Question(int turn, int recent)
    {
        List<string> texts = [];
        for (int i = turn; i >= 0 && i >= turn - recent; i--)
        {
            texts.Add(Turns[i].Text);
        }

        return texts;
    }

    /// <summary>Names that must stay: called, waiting for approval, or written out in the conversation.</summary>
    public IReadOnlySet<string> StickyNames(ToolEntry[] entries)
    {
        HashSet<string> names = [.. _called];
        HashSet<string> known = [.. entries.Select(entry => entry.Profile.Name).Where(IsUnmistakable)];
        if (known.Count > 0)
        {
            foreach (string text in _texts)
            {
                foreach (string name in Named(text, known))
                {
                    names.Add(name);
                }
            }
        }

        return names;
    }

    /// <summary>The known names that a text writes out.</summary>
    public static IEnumerable<string> Named(string text, HashSet<string> known)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = start;
            while (end < text.Length && IsNamePart(text[end]))
            {
                end++;
            }

            string name = text[start..end].TrimEnd('.', '-');
            if (name.Length > 2 && known.Contains(name))
            {
                yield return name;
            }

            start = end + 1;
        }
    }

    // "search" is a word that anyone may write; get_weather and getWeather are not.
    public static bool IsUnmistakable(string name)
    {
        for (int i = 1; i < name.Length; i++)
        {
            if (name[i] is '_' or '.' or '-' || char.IsDigit(name[i]) || (char.IsUpper(name[i]) && char.IsLower(name[i - 1])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '.';

    private void Read(ChatMessage message)
    {
        foreach (AIContent content in message.Contents)
        {
            FunctionCallContent? call = content switch
            {
                FunctionCallContent direct => direct,
                ToolApprovalRequestContent { ToolCall: FunctionCallContent asked } => asked,
                ToolApprovalResponseContent { ToolCall: FunctionCallContent answered } => answered,
                _ => null,
            };
            if (call is null)
            {
                continue;
            }

            if (call.Name == FindToolsFunction.FunctionName)
            {
                Turns.LastOrDefault()?.Searches.Add(FindToolsFunction.Query(call.Arguments));
            }
            else
            {
                _called.Add(call.Name);
                Turns.LastOrDefault()?.Names.Add(call.Name);
            }
        }
    }
}
