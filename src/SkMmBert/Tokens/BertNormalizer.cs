using System.Text;

namespace SkMmBert;

/// <summary>BERT's normalizer: cleans, sets off Chinese characters, strips accents, lowers case; each unit remembers where it came from.</summary>
internal sealed class BertNormalizer
{
    private readonly bool _cleans;
    private readonly bool _setsOffChinese;
    private readonly bool _stripsAccents;
    private readonly bool _lowersCase;
    private readonly BertCharacters _characters;

    private BertNormalizer(bool cleans, bool setsOffChinese, bool stripsAccents, bool lowersCase, BertCharacters characters)
    {
        _cleans = cleans;
        _setsOffChinese = setsOffChinese;
        _stripsAccents = stripsAccents;
        _lowersCase = lowersCase;
        _characters = characters;
    }

    /// <summary>Whether a Chinese character always starts a word.</summary>
    public bool SetsOffChinese => _setsOffChinese;

    public static BertNormalizer Read(TokenizerPart part, BertCharacters characters)
    {
        TokenizerPart[] steps = part.Flatten("normalizers");
        if (steps.Length == 0)
        {
            return new BertNormalizer(false, false, false, false, characters);
        }

        TokenizerPart step = steps[0];
        if (step.Type != "BertNormalizer" || steps.Length > 1)
        {
            throw (step.Type == "BertNormalizer" ? steps[1] : step).Unknown("one BertNormalizer, for a WordPiece model");
        }

        step.RefuseOtherKeys("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
        bool lowercase = step.Flag("lowercase", true);
        return new BertNormalizer(step.Flag("clean_text", true), step.Flag("handle_chinese_chars", true), step.Flag("strip_accents", lowercase), lowercase, characters);
    }

    /// <summary>Normalises a part of a text that starts at <paramref name="start"/> in it.</summary>
    public void Normalize(ReadOnlySpan<char> text, int start, WordBuffer output)
    {
        output.Count = 0;
        int run = 0; // where the combining characters behind the last other character start
        for (int at = 0; at < text.Length;)
        {
            char unit = text[at];
            if (unit is >= ' ' and < '\x7F')
            {
                output.Add(_lowersCase && char.IsAsciiLetterUpper(unit) ? (char)(unit | 0x20) : unit, start + at, start + ++at);
                run = output.Count;
                continue;
            }

            Rune.DecodeFromUtf16(text[at..], out Rune rune, out int width);
            Span span = new(start + at, start + at + width);
            at += width;
            int character = rune.Value;
            if (_cleans && _characters.Is(character, BertCharacters.Removed))
            {
                continue;
            }

            if (_cleans && Rune.IsWhiteSpace(rune))
            {
                character = ' ';
            }

            if (_setsOffChinese && BertCharacters.IsChinese(character))
            {
                output.Add(' ', span.Start, span.End);
                run = output.Count;
                Strip(character, span, output, ref run);
                output.Add(' ', span.Start, span.End);
                run = output.Count;
            }
            else
            {
                Strip(character, span, output, ref run);
            }
        }
    }

    private void Strip(int character, Span span, WordBuffer output, ref int run)
    {
        if (!_stripsAccents)
        {
            Lower(character, span, output);
            return;
        }

        if (character is >= 0xAC00 and < 0xD7A4)
        {
            // A Hangul syllable is a leading consonant, a vowel and perhaps a trailing consonant.
            int syllable = character - 0xAC00;
            Lower(0x1100 + (syllable / 588), span, output);
            Lower(0x1161 + (syllable % 588 / 28), span, output);
            if (syllable % 28 != 0)
            {
                Lower(0x11A7 + (syllable % 28), span, output);
            }

            run = output.Count;
            return;
        }

        if (_characters.TryGetStripped(character, out ReadOnlySpan<int> parts))
        {
            foreach (int part in parts)
            {
                Order(part, span, output, ref run);
            }

            return;
        }

        if (_characters.Is(character, BertCharacters.Mark))
        {
            run = _characters.CombiningClass(character) == 0 ? output.Count : run;
            return;
        }

        Order(character, span, output, ref run);
    }

    // Canonical order: combining characters that stay are sorted by class among themselves.
    private void Order(int character, Span span, WordBuffer output, ref int run)
    {
        int rank = _characters.CombiningClass(character);
        int first = output.Count;
        Lower(character, span, output);
        if (rank == 0)
        {
            run = output.Count;
            return;
        }

        int place = first;
        while (place > run)
        {
            int before = char.IsLowSurrogate(output.Text[place - 1]) && place - 1 > run ? place - 2 : place - 1;
            if (_characters.CombiningClass(output.CharacterAt(before)) <= rank)
            {
                break;
            }

            place = before;
        }

        if (place < first)
        {
            output.Rotate(place, first);
        }
    }

    private void Lower(int character, Span span, WordBuffer output)
    {
        if (_lowersCase && character == 0x130)
        {
            output.Add('i', span.Start, span.End);
            output.Add('\u0307', span.Start, span.End);
            return;
        }

        if (_lowersCase)
        {
            character = _characters.ToLower(character);
        }

        if (character < 0x10000)
        {
            output.Add((char)character, span.Start, span.End);
            return;
        }

        output.Add((char)(0xD7C0 + (character >> 10)), span.Start, span.End);
        output.Add((char)(0xDC00 + (character & 0x3FF)), span.Start, span.End);
    }

    private readonly record struct Span(int Start, int End);
}
