using System.Buffers;
using System.Globalization;
using System.Text;

namespace SkMmBert;

/// <summary>Where a cut is natural, in any script.</summary>
/// <remarks>By characters alone: no word list of any language.</remarks>
internal static class Boundaries
{
    // Marks that end a sentence whatever follows: CJK, Devanagari, Urdu and Arabic, Armenian, Ethiopic, Myanmar, Khmer, Tibetan, Mongolian.
    private static readonly SearchValues<char> _fullStops = SearchValues.Create("。！？｡．।॥؟۔։።፧፨။។៕༎᠃᠉⸮‼⁇⁈⁉");

    /// <summary>The best place to cut in (<paramref name="start"/>, <paramref name="limit"/>]: the last paragraph, line or sentence end in the second half, else the last word, else the last character.</summary>
    /// <param name="text">The whole text; <paramref name="start"/> is the start of a character in it.</param>
    /// <param name="start">Where the part to cut starts.</param>
    /// <param name="limit">The last place allowed.</param>
    /// <returns>The place, or <paramref name="start"/> if the first character alone is longer.</returns>
    public static int FindCut(ReadOnlySpan<char> text, int start, int limit)
    {
        Span<int> last = stackalloc int[(int)Boundary.Paragraph + 1];
        last.Fill(start);
        for (int at = start; at < text.Length;)
        {
            at += StringInfo.GetNextTextElementLength(text[at..]);
            if (at > limit)
            {
                break;
            }

            last[(int)Strength(text, at)] = at;
        }

        int half = start + ((limit - start) / 2);
        for (Boundary strength = Boundary.Paragraph; strength >= Boundary.Sentence; strength--)
        {
            if (last[(int)strength] > half)
            {
                return last[(int)strength];
            }
        }

        int word = Math.Max(Math.Max(last[(int)Boundary.Word], last[(int)Boundary.Sentence]), Math.Max(last[(int)Boundary.Line], last[(int)Boundary.Paragraph]));
        return word > start + ((limit - start) / 4) ? word : Math.Max(word, last[(int)Boundary.Grapheme]);
    }

    /// <summary>The first natural place at or behind <paramref name="from"/> and before <paramref name="limit"/>: a sentence start, else a word start, else <paramref name="limit"/>.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="start">The start of a character at or before <paramref name="from"/>.</param>
    /// <param name="from">The first place allowed.</param>
    /// <param name="limit">The place that is too late.</param>
    public static int FindStart(ReadOnlySpan<char> text, int start, int from, int limit)
    {
        int word = limit;
        for (int at = start; at < limit; at += StringInfo.GetNextTextElementLength(text[at..]))
        {
            if (at < from || at == 0 || char.IsWhiteSpace(text[at]))
            {
                continue;
            }

            Boundary strength = Strength(text, at);
            if (strength >= Boundary.Sentence)
            {
                return at;
            }

            word = strength == Boundary.Word && word == limit ? at : word;
        }

        return word;
    }

    /// <summary>How natural a cut is at a place between two characters.</summary>
    public static Boundary Strength(ReadOnlySpan<char> text, int at)
    {
        if (at <= 0 || at >= text.Length)
        {
            return Boundary.Paragraph;
        }

        if (char.IsWhiteSpace(text[at - 1]))
        {
            ReadOnlySpan<char> before = text[..at].TrimEnd();
            int lines = CountLines(text[before.Length..at]);
            return lines > 1 ? Boundary.Paragraph : lines == 1 ? Boundary.Line : EndsSentence(text, before.Length) ? Boundary.Sentence : Boundary.Word;
        }

        if (char.IsWhiteSpace(text[at]))
        {
            return EndsSentence(text, at) ? Boundary.Sentence : Boundary.Word;
        }

        if (IsClosing(text[at]) || _fullStops.Contains(text[at]))
        {
            return Boundary.Grapheme;
        }

        ReadOnlySpan<char> closed = TrimClosing(text[..at]);
        return !closed.IsEmpty && _fullStops.Contains(closed[^1]) ? Boundary.Sentence
            : PartsWords(text[at - 1]) || Script(text, at - 1) != Script(text, at) ? Boundary.Word
            : Boundary.Grapheme;
    }

    // A full stop of the Latin kind ends a sentence if white space follows, no small letter comes next, and it is not behind
    // an initial or an abbreviation with stops in it.
    private static bool EndsSentence(ReadOnlySpan<char> text, int end)
    {
        ReadOnlySpan<char> sentence = TrimClosing(text[..end]);
        if (sentence.IsEmpty)
        {
            return false;
        }

        char last = sentence[^1];
        if (last is '!' or '?' || _fullStops.Contains(last))
        {
            return true;
        }

        if (last is not ('.' or '…'))
        {
            return false;
        }

        ReadOnlySpan<char> next = text[end..].TrimStart();
        ReadOnlySpan<char> word = sentence[..^1];
        word = word[(word.LastIndexOfAny(' ', '\n', '\t') + 1)..];
        bool initial = word.Length == 1 && char.IsLetter(word[0]);
        return !initial && !word.Contains('.') && (next.IsEmpty || !char.IsLower(next[0]));
    }

    private static int CountLines(ReadOnlySpan<char> space)
    {
        int lines = space.Count('\n');
        return space.Contains('\u2029') ? 2 : lines > 0 ? lines : space.Count('\r') + space.Count('\u2028') + space.Count('\u0085');
    }

    private static ReadOnlySpan<char> TrimClosing(ReadOnlySpan<char> text)
    {
        int end = text.Length;
        while (end > 0 && IsClosing(text[end - 1]))
        {
            end--;
        }

        return text[..end];
    }

    private static bool IsClosing(char unit) => unit is '"' or '\'' || char.GetUnicodeCategory(unit) is UnicodeCategory.ClosePunctuation or UnicodeCategory.FinalQuotePunctuation;

    private static bool PartsWords(char unit) => unit is ';' or ')' or ']' or '}' or '/' or '\\' or '|' or '!' or '?'
        || (unit > '\x7F' && unit is not ('\u2019' or '\u00B7' or '\u30FB' or '\u2011') && char.IsPunctuation(unit));

    // Scripts written without spaces are told apart, so that a cut may fall between them; 0 is everything else.
    private static int Script(ReadOnlySpan<char> text, int at) => text[at] switch
    {
        (>= '\u3040' and <= '\u309F') => 1,
        (>= '\u30A0' and <= '\u30FF') or (>= '\u31F0' and <= '\u31FF') => 2,
        (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF') or (>= '\uD840' and <= '\uD88C') => 3,
        (>= '\uDC00' and <= '\uDFFF') when at > 0 && text[at - 1] is >= '\uD840' and <= '\uD88C' => 3,
        (>= '\u0E00' and <= '\u0EFF') => 4,
        (>= '\u1000' and <= '\u109F') or (>= '\u1780' and <= '\u17FF') => 5,
        _ => 0,
    };
}
