using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Reads search terms off text of any script without allocating: words split at case, underscore, dot and digit, and pairs of characters where a script writes no spaces.</summary>
/// <remarks>A word that was split is read once more as a whole: <c>SongKick</c> gives <c>song</c>, <c>kick</c> and <c>songkick</c>.</remarks>
internal ref struct ToolTerms
{
    public const int MaxLength = 32;

    // U+00C0 to U+017F without their marks, so that "météo" and "meteo" meet.
    private const string Unmarked =
        "aaaaaaaceeeeiiiidnooooo*ouuuuypsaaaaaaaceeeeiiiidnooooo*ouuuuypy" +
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    private readonly ReadOnlySpan<char> _text;
    private readonly Span<char> _term;
    private int _at;        // next unread character
    private int _part;      // next unread part of the word that is being read
    private int _end;       // end of that word; _part == _end when there is none
    private int _whole;     // start of that word when it was split and is still to be read as a whole, else -1
    private bool _paired;   // whether the last character of a run without spaces is already part of a pair

    /// <summary>Starts reading; terms are written into <paramref name="term"/>, of at least <see cref="MaxLength"/> characters.</summary>
    public ToolTerms(ReadOnlySpan<char> text, Span<char> term)
    {
        _text = text;
        _term = term[..MaxLength];
        _whole = -1;
    }

    /// <summary>The next term, in lower case and without marks; valid until the next call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a saved index is opened before the runtime would have done so
    public bool Next(out ReadOnlySpan<char> term)
    {
        while (true)
        {
            if (_part < _end)
            {
                int start = _part;
                _part = PartEnd(start);
                if (_part == _end && start == _whole)
                {
                    _whole = -1;    // the word is one part
                }

                term = Fold(_text[start.._part], out bool any);
                if (any)
                {
                    return true;
                }

                continue;
            }

            if (_whole >= 0)
            {
                ReadOnlySpan<char> whole = _text[_whole.._end];
                _whole = -1;
                term = Fold(whole, out bool any);
                if (any)
                {
                    return true;
                }

                continue;
            }

            if (_at >= _text.Length)
            {
                term = default;
                return false;
            }

            char c = _text[_at];
            if (IsUnspaced(c))
            {
                int here = _at++;
                bool more = _at < _text.Length && IsUnspaced(_text[_at]);
                if (more || !_paired)
                {
                    _paired = more;
                    term = Fold(_text.Slice(here, more ? 2 : 1), out _);
                    return true;
                }

                _paired = false;
            }
            else if (IsWord(c))
            {
                int start = _at;
                while (_at < _text.Length && IsWord(_text[_at]) && !IsUnspaced(_text[_at]))
                {
                    _at++;
                }

                (_part, _end, _whole) = (start, _at, start);
            }
            else
            {
                _at++;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int PartEnd(int start)
    {
        int i = start + 1;
        bool digits = char.IsDigit(_text[start]);
        for (; i < _end; i++)
        {
            char before = _text[i - 1], c = _text[i];
            if (char.IsDigit(c) != digits
                || (char.IsUpper(c) && char.IsLower(before))
                || (char.IsUpper(c) && char.IsUpper(before) && i + 1 < _end && char.IsLower(_text[i + 1])))
            {
                break;
            }
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly ReadOnlySpan<char> Fold(ReadOnlySpan<char> word, out bool any)
    {
        int length = 0;
        foreach (char c in word)
        {
            char folded = Fold(c);
            if (folded != 0 && length < MaxLength)
            {
                _term[length++] = folded;
            }
        }

        any = length > 0;
        return _term[..Singular(_term[..length])];
    }

    // "forecasts" and "forecast", "cities" and "city": the one ending that many languages of the Latin script share.
    private static int Singular(Span<char> word)
    {
        int length = word.Length;
        if (length < 4 || word[length - 1] != 's' || word[length - 2] is 's' or 'u' or 'i')
        {
            return length;
        }

        if (length > 4 && word[length - 2] == 'e' && word[length - 3] == 'i')
        {
            word[length - 3] = 'y';
            return length - 2;
        }

        return length - 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static char Fold(char c)
    {
        if (c < 0x80)
        {
            return char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
        }

        return FoldRare(c);
    }

    // 0 for marks that writers mostly leave out.
    private static char FoldRare(char c) => c switch
    {
        >= '\u00C0' and <= '\u017F' => Unmarked[c - 0xC0] is var plain and not '*' ? plain : c,
        (>= '\u0300' and <= '\u036F') or (>= '\u0591' and <= '\u05C7') or (>= '\u0610' and <= '\u061A') or (>= '\u064B' and <= '\u065F') or '\u0670' or '\u0640' => '\0',
        '\u0622' or '\u0623' or '\u0625' or '\u0671' => '\u0627',
        '\u0649' or '\u06CC' => '\u064A',
        '\u06A9' => '\u0643',
        '\u0629' => '\u0647',
        >= '\u06F0' and <= '\u06F9' => (char)(c - 0x06F0 + '0'),
        >= '\u0660' and <= '\u0669' => (char)(c - 0x0660 + '0'),
        >= '\uFF01' and <= '\uFF5E' => Fold((char)(c - 0xFEE0)),
        _ => char.ToLowerInvariant(c),
    };

    private static bool IsWord(char c) => c < 0x80
        ? char.IsAsciiLetterOrDigit(c)
        : char.IsLetterOrDigit(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    // Thai to Myanmar, Khmer, kana, Han, Hangul, half-width kana; a surrogate pair counts as two characters, so that it is one term.
    private static bool IsUnspaced(char c) => c >= 0x0E01 && c is (<= '\u0E4E') or (>= '\u0E81' and <= '\u0ECD') or (>= '\u1000' and <= '\u109F') or (>= '\u1780' and <= '\u17D3') or
        (>= '\u3041' and <= '\u30FA') or '\u30FC' or '\u3005' or (>= '\u3400' and <= '\u9FFF') or (>= '\uAC00' and <= '\uD7A3') or (>= '\uD800' and <= '\uDFFF') or
        (>= '\uF900' and <= '\uFAFF') or (>= '\uFF66' and <= '\uFF9D');
}
