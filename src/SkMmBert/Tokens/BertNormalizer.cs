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
        for (int at = 0; at < text.Length;)
        {
            char unit = text[at];
            if (unit is >= ' ' and < '\x7F' && output.Marks.Count == 0)
            {
                output.Add(_lowersCase && char.IsAsciiLetterUpper(unit) ? (char)(unit | 0x20) : unit, start + at, start + ++at);
                continue;
            }

            Rune.DecodeFromUtf16(text[at..], out Rune rune, out int width);
            TokenOffset origin = new(start + at, start + at + width);
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

            bool chinese = _setsOffChinese && BertCharacters.IsChinese(character);
            if (chinese)
            {
                Emit(' ', origin, inserted: false, output);
            }

            Decompose(character, origin, chinese, output);
            if (chinese)
            {
                Emit(' ', origin, inserted: true, output);
            }
        }

        FlushMarks(output);
    }

    private void Decompose(int character, TokenOffset origin, bool inserted, WordBuffer output)
    {
        if (!_stripsAccents)
        {
            Lower(character, origin, output);
        }
        else if (character is >= 0xAC00 and < 0xD7A4)
        {
            // A Hangul syllable is a leading consonant, a vowel and perhaps a trailing consonant.
            int syllable = character - 0xAC00;
            Emit(0x1100 + (syllable / 588), origin, inserted, output);
            Emit(0x1161 + (syllable % 588 / 28), origin, inserted: true, output);
            if (syllable % 28 != 0)
            {
                Emit(0x11A7 + (syllable % 28), origin, inserted: true, output);
            }
        }
        else if (_characters.TryGetStripped(character, out ReadOnlySpan<int> parts))
        {
            foreach (int part in parts)
            {
                Emit(part, origin, inserted, output);
                inserted = true;
            }
        }
        else
        {
            Emit(character, origin, inserted, output);
        }
    }

    // Canonical order: combining characters are sorted by class up to the next other character. Their places in the text
    // are not sorted with them, as in Hugging Face's code.
    private void Emit(int character, TokenOffset origin, bool inserted, WordBuffer output)
    {
        int rank = _stripsAccents ? _characters.CombiningClass(character) : 0;
        if (rank != 0)
        {
            int place = output.Marks.Count;
            while (place > 0 && output.Marks[place - 1].Class > rank)
            {
                place--;
            }

            output.Marks.Insert(place, (rank, character, inserted));
            if (!inserted)
            {
                output.MarkOrigins.Add(origin);
            }

            return;
        }

        FlushMarks(output);
        if (!_stripsAccents || !_characters.Is(character, BertCharacters.Mark))
        {
            Lower(character, origin, output);
        }
    }

    private void FlushMarks(WordBuffer output)
    {
        if (output.Marks.Count == 0)
        {
            return;
        }

        int next = 0;
        TokenOffset origin = output.Count > 0 ? new(output.Starts[output.Count - 1], output.Ends[output.Count - 1]) : output.MarkOrigins.FirstOrDefault();
        foreach ((_, int character, bool inserted) in output.Marks)
        {
            origin = inserted || next == output.MarkOrigins.Count ? origin : output.MarkOrigins[next++];
            if (!_characters.Is(character, BertCharacters.Mark))
            {
                Lower(character, origin, output);
            }
        }

        output.Marks.Clear();
        output.MarkOrigins.Clear();
    }

    private void Lower(int character, TokenOffset origin, WordBuffer output)
    {
        if (_lowersCase && character == 0x130)
        {
            output.Add('i', origin.Start, origin.End);
            output.Add('\u0307', origin.Start, origin.End);
            return;
        }

        if (_lowersCase)
        {
            character = _characters.ToLower(character);
        }

        if (character < 0x10000)
        {
            output.Add((char)character, origin.Start, origin.End);
            return;
        }

        output.Add((char)(0xD7C0 + (character >> 10)), origin.Start, origin.End);
        output.Add((char)(0xDC00 + (character & 0x3FF)), origin.Start, origin.End);
    }
}
