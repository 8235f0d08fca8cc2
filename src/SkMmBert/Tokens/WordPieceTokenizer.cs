using System.Text;

namespace SkMmBert;

/// <summary>WordPiece as BERT uses it: normalised words, each cut greedily into the longest pieces.</summary>
internal sealed class WordPieceTokenizer : PipelineTokenizer
{
    private const int FirstWindow = 4096;

    private readonly BertCharacters _characters;
    private readonly BertNormalizer _normalizer;
    private readonly WordPieceModel _model;
    private readonly AddedTokens _added;
    private readonly AddedTokens _addedNormalized;

    private WordPieceTokenizer(TokenizerJson file, BertCharacters characters, bool neutralise)
        : base(file)
    {
        _characters = characters;
        _normalizer = BertNormalizer.Read(file.Normalizer, characters);
        _model = WordPieceModel.Read(file);
        _added = new AddedTokens(file.AddedTokens.Where(t => !t.Normalized).Select(t => (t, t.Text)), neutralise);
        _addedNormalized = new AddedTokens(file.AddedTokens.Where(t => t.Normalized).Select(t => (t, Normalize(t.Text))), neutralise);
    }

    public static WordPieceTokenizer Create(TokenizerJson file, bool neutralise)
    {
        TokenizerPart[] steps = file.PreTokenizer.Flatten("pretokenizers");
        if (steps.Length != 1 || steps[0].Type != "BertPreTokenizer")
        {
            throw (steps.Length == 0 ? file.PreTokenizer : steps[^1]).Unknown("one BertPreTokenizer, for a WordPiece model");
        }

        steps[0].RefuseOtherKeys("type");
        return new WordPieceTokenizer(file, new BertCharacters(), neutralise);
    }

    protected override void Tokenize(ReadOnlySpan<char> text, ref TokenSink sink)
    {
        int done = 0;
        int search = 0;
        int window = FirstWindow;
        while (done < text.Length || search < text.Length)
        {
            int limit = (int)Math.Min(text.Length, (long)Math.Max(done, search) + window);
            if (_added.TryFindNext(text, ref search, limit, done, out AddedTokens.Match match))
            {
                if ((match.Start > done && !EncodeGap(text[done..match.Start], done, ref sink)) || !sink.Add(match.Id, match.Start, match.End))
                {
                    return;
                }

                done = match.End;
                window = FirstWindow;
                continue;
            }

            int safe = limit == text.Length ? Math.Max(limit, done) : SafeEnd(text, done, limit);
            if (safe > done && !EncodeGap(text[done..safe], done, ref sink))
            {
                return;
            }

            window = safe > done ? FirstWindow : Math.Min(2 * window, 1 << 30);
            done = safe;
        }
    }

    // The last place in (from, limit) where a word ends whatever follows, with a character before the limit that no added
    // token can swallow as white space.
    private int SafeEnd(ReadOnlySpan<char> text, int from, int limit)
    {
        if (!_addedNormalized.IsEmpty)
        {
            return from;
        }

        int at = from + text[from..limit].TrimEnd().Length - 1;
        while (at > from && !EndsWord(text[at]))
        {
            at--;
        }

        return Math.Max(at, from);
    }

    private bool EndsWord(char unit) => unit is ' ' or '\n' or '\t' or (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~')
        || (_normalizer.SetsOffChinese && unit is >= '\u4E00' and <= '\u9FFF');

    private bool EncodeGap(ReadOnlySpan<char> gap, int start, ref TokenSink sink)
    {
        WordBuffer normalized = sink.State.Buffer;
        _normalizer.Normalize(gap, start, normalized);
        if (_addedNormalized.IsEmpty)
        {
            return EncodeWords(normalized, 0, normalized.Count, ref sink);
        }

        ReadOnlySpan<char> text = normalized.Text.AsSpan(0, normalized.Count);
        int done = 0;
        int search = 0;
        while (_addedNormalized.TryFindNext(text, ref search, text.Length, done, out AddedTokens.Match match))
        {
            if ((match.Start > done && !EncodeWords(normalized, done, match.Start, ref sink)) || !sink.Add(match.Id, normalized.Starts[match.Start], normalized.Ends[match.End - 1]))
            {
                return false;
            }

            done = match.End;
        }

        return done >= text.Length || EncodeWords(normalized, done, text.Length, ref sink);
    }

    private bool EncodeWords(WordBuffer normalized, int start, int end, ref TokenSink sink)
    {
        ReadOnlySpan<char> text = normalized.Text;
        int word = start;
        for (int at = start; at < end;)
        {
            Rune.DecodeFromUtf16(text[at..end], out Rune rune, out int width);
            bool space = Rune.IsWhiteSpace(rune);
            if (space || _characters.Is(rune.Value, BertCharacters.Punctuation))
            {
                if ((at > word && !EncodeWord(normalized, word, at, ref sink)) || (!space && !EncodeWord(normalized, at, at + width, ref sink)))
                {
                    return false;
                }

                word = at + width;
            }

            at += width;
        }

        return word >= end || EncodeWord(normalized, word, end, ref sink);
    }

    private bool EncodeWord(WordBuffer normalized, int start, int end, ref TokenSink sink)
    {
        ReadOnlySpan<int> ids = _model.Encode(normalized.Text.AsSpan(start, end - start), sink.State);
        if (sink.TryAddWord(ids, normalized.Ends[end - 1]))
        {
            return true;
        }

        for (int token = 0, at = start; token < ids.Length; token++)
        {
            int next = ids.Length == 1 ? end : at + _model.Width(ids[token], token == 0);
            if (!sink.Add(ids[token], normalized.Starts[at], normalized.Ends[next - 1]))
            {
                return false;
            }

            at = next;
        }

        return true;
    }

    private string Normalize(string text)
    {
        WordBuffer buffer = new();
        _normalizer.Normalize(text, 0, buffer);
        return new string(buffer.Text, 0, buffer.Count);
    }
}
