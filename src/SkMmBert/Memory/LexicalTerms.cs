using System.Globalization;
using System.Text;

namespace SkMmBert;

/// <summary>Cuts text of any script into lower-case search terms: words where the script writes spaces, pairs of characters where it does not.</summary>
internal static class LexicalTerms
{
    private const int MostUnits = 64; // of a term; what is longer is cut

    /// <summary>The terms in text order, repetitions included.</summary>
    public static List<string> Of(string text)
    {
        List<string> terms = [];
        Span<char> word = stackalloc char[MostUnits];
        int length = 0;
        string previous = "";   // the last character of a run without spaces; "" outside of one
        bool paired = false;    // whether that character is already part of a pair
        for (int i = 0; i < text.Length;)
        {
            char c = text[i];
            Rune rune = default;
            if (c >= 0x80)
            {
                Rune.DecodeFromUtf16(text.AsSpan(i), out Rune read, out int used);
                i += used;
                rune = Fold(read);
                if (rune.Value == 0)
                {
                    continue;
                }

                if (IsUnspaced(rune.Value))
                {
                    Flush(terms, word, ref length);
                    string character = rune.ToString();
                    if (previous.Length > 0)
                    {
                        terms.Add(previous + character);
                    }

                    (paired, previous) = (previous.Length > 0, character);
                    continue;
                }
            }

            if (previous.Length > 0)
            {
                if (!paired)
                {
                    terms.Add(previous);
                }

                previous = "";
            }

            if (c < 0x80)
            {
                i++;
                if (!char.IsAsciiLetterOrDigit(c))
                {
                    Flush(terms, word, ref length);
                }
                else if (length < MostUnits)
                {
                    word[length++] = char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
                }
            }
            else if (!IsWord(rune))
            {
                Flush(terms, word, ref length);
            }
            else if (length + rune.Utf16SequenceLength <= MostUnits)
            {
                length += rune.EncodeToUtf16(word[length..]);
            }
        }

        if (previous.Length > 0 && !paired)
        {
            terms.Add(previous);
        }

        Flush(terms, word, ref length);
        return terms;
    }

    private static void Flush(List<string> terms, ReadOnlySpan<char> word, ref int length)
    {
        if (length > 0)
        {
            terms.Add(new string(word[..length]));
            length = 0;
        }
    }

    private static bool IsWord(Rune rune) => rune.IsAscii ? char.IsAsciiLetterOrDigit((char)rune.Value) : Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or
        UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber or
        UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    // Lower case; one form for letters that writers mix freely; 0 for marks that writers mostly leave out.
    private static Rune Fold(Rune rune)
    {
        int c = rune.Value;
        return c switch
        {
            (>= 0x0300 and <= 0x036F) or (>= 0x0591 and <= 0x05C7) or (>= 0x0610 and <= 0x061A) or (>= 0x064B and <= 0x065F) or 0x0670 or 0x0640 => default,
            0x0622 or 0x0623 or 0x0625 or 0x0671 => new Rune(0x0627),       // alef with madda, hamza, wasla
            0x0649 or 0x06CC => new Rune(0x064A),                           // alef maksura, Farsi yeh
            0x06A9 => new Rune(0x0643),                                     // keheh
            0x0629 => new Rune(0x0647),                                     // teh marbuta
            (>= 0x06F0 and <= 0x06F9) => new Rune(c - 0x06F0 + '0'),
            (>= 0x0660 and <= 0x0669) => new Rune(c - 0x0660 + '0'),
            (>= 0xFF01 and <= 0xFF5E) => Rune.ToLowerInvariant(new Rune(c - 0xFEE0)), // full width
            0x0130 => new Rune('i'),                                        // Turkish capital I with dot
            _ => Rune.ToLowerInvariant(rune),
        };
    }

    // Thai to Myanmar, Khmer, kana, Han, Hangul, half-width kana, and the Han planes.
    private static bool IsUnspaced(int c) =>
        c is (>= 0x0E01 and <= 0x0E4E) or (>= 0x0E81 and <= 0x0ECD) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17D3) or
        (>= 0x3041 and <= 0x30FA) or 0x30FC or 0x3005 or (>= 0x3400 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or
        (>= 0xFF66 and <= 0xFF9D) or (>= 0x20000 and <= 0x323AF);
}
