using System.Buffers;
using System.Globalization;
using System.Text;

namespace SkMmBert;

/// <summary>Finds added tokens: leftmost first, the longest of those, without overlap.</summary>
/// <remarks>A trie of first child and next sibling; nothing is touched before a character that some token starts with.</remarks>
internal sealed class AddedTokens
{
    private readonly AddedToken[] _tokens;
    private readonly SearchValues<char> _firstCharacters;
    private readonly List<Node> _nodes = [new Node { Token = -1 }];
    private readonly bool _neutralise;

    /// <summary>Takes the tokens to look for and the text by which each is found.</summary>
    public AddedTokens(IEnumerable<(AddedToken Token, string Pattern)> tokens, bool neutraliseSpecialTokens)
    {
        _neutralise = neutraliseSpecialTokens;
        (AddedToken Token, string Pattern)[] all = [.. tokens.Where(t => t.Pattern.Length > 0)];
        _tokens = [.. all.Select(t => t.Token)];
        for (int token = 0; token < all.Length; token++)
        {
            Insert(all[token].Pattern, token);
        }

        _firstCharacters = SearchValues.Create([.. all.Select(t => t.Pattern[0]).Distinct()]);
    }

    public bool IsEmpty => _tokens.Length == 0;

    /// <summary>The next token that starts in [<paramref name="from"/>, <paramref name="limit"/>).</summary>
    /// <param name="text">All of the text, so that what stands around a match can be seen.</param>
    /// <param name="from">Where to look; moved behind the match.</param>
    /// <param name="limit">Where to stop looking.</param>
    /// <param name="taken">End of the token before: white space is swallowed down to here at most.</param>
    /// <param name="found">The token with all it swallowed.</param>
    public bool TryFindNext(ReadOnlySpan<char> text, ref int from, int limit, int taken, out Match found)
    {
        while (from < limit)
        {
            int skip = text[from..limit].IndexOfAny(_firstCharacters);
            if (skip < 0)
            {
                from = limit;
                break;
            }

            from += skip;
            if (!TryMatch(text[from..], out int length, out int index))
            {
                from++;
                continue;
            }

            int start = from;
            int end = from += length;
            AddedToken token = _tokens[index];
            if ((_neutralise && token.Special) || (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..]))))
            {
                continue;
            }

            if (token.StripLeft)
            {
                start = Math.Max(text[..start].TrimEnd().Length, taken);
            }

            if (token.StripRight)
            {
                end = text.Length - text[end..].TrimStart().Length;
            }

            found = new Match(start, end, token.Id);
            return true;
        }

        found = default;
        return false;
    }

    private bool TryMatch(ReadOnlySpan<char> text, out int length, out int token)
    {
        length = 0;
        token = -1;
        int node = 0;
        for (int at = 0; at < text.Length; at++)
        {
            node = Child(node, text[at]);
            if (node < 0)
            {
                break;
            }

            if (_nodes[node].Token >= 0)
            {
                token = _nodes[node].Token;
                length = at + 1;
            }
        }

        return token >= 0;
    }

    private int Child(int node, char label)
    {
        for (int child = _nodes[node].FirstChild; child > 0; child = _nodes[child].NextSibling)
        {
            if (_nodes[child].Label == label)
            {
                return child;
            }
        }

        return -1;
    }

    private void Insert(string pattern, int token)
    {
        int node = 0;
        foreach (char label in pattern)
        {
            int child = Child(node, label);
            if (child < 0)
            {
                child = _nodes.Count;
                _nodes.Add(new Node { Label = label, Token = -1, NextSibling = _nodes[node].FirstChild });
                _nodes[node] = _nodes[node] with { FirstChild = child };
            }

            node = child;
        }

        _nodes[node] = _nodes[node] with { Token = token };
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune last, out _) == OperationStatus.Done && IsWord(last);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune first, out _) == OperationStatus.Done && IsWord(first);

    // Unicode's \w: alphabetic, marks, decimal digits, connectors, joiners. The ranges are the alphabetic symbols of category So.
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
    };

    /// <summary>A found token: [start, end) with the white space it swallowed.</summary>
    internal readonly record struct Match(int Start, int End, int Id);

    private readonly record struct Node
    {
        public char Label { get; init; }

        public int Token { get; init; }

        public int FirstChild { get; init; }

        public int NextSibling { get; init; }
    }
}
