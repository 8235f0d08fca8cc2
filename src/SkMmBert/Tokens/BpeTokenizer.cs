using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SkMmBert;

/// <summary>Byte-pair encoding over characters with byte fallback, as SentencePiece models are published for Hugging Face.</summary>
/// <remarks>
/// A text is cut at added tokens into gaps, a gap into words, a word into segments across which nothing can merge; see
/// <c>BpeTokenizer.Merge.cs</c> for what happens to a segment. Only the part of the text that the caller's limit needs is looked at.
/// </remarks>
internal sealed partial class BpeTokenizer : PipelineTokenizer
{
    private const int FirstWindow = 4096;

    private readonly BpePipeline _pipeline;
    private readonly BpeModel _model;
    private readonly AddedTokens _added;
    private readonly AddedTokens _addedNormalized;
    private readonly char _wordStart; // what a word begins with; also the second of the two characters that begin one
    private readonly char _space;     // the character that is replaced by it

    private BpeTokenizer(TokenizerJson file, BpePipeline pipeline, BpeModel model, bool neutralise)
        : base(file)
    {
        _pipeline = pipeline;
        _model = model;
        _wordStart = pipeline.WordStart;
        _space = pipeline.Space;
        _added = new AddedTokens(file.AddedTokens.Where(t => !t.Normalized).Select(t => (t, t.Text)), neutralise);
        _addedNormalized = new AddedTokens(file.AddedTokens.Where(t => t.Normalized).Select(t => (t, t.Text.Replace(pipeline.NormalizedFrom, pipeline.NormalizedTo))), neutralise);
    }

    public static BpeTokenizer Create(TokenizerJson file, bool neutralise)
    {
        BpePipeline pipeline = BpePipeline.Read(file);
        return new BpeTokenizer(file, pipeline, BpeModel.Read(file, pipeline), neutralise);
    }

    protected override void Tokenize(ReadOnlySpan<char> text, ref TokenSink sink)
    {
        int done = 0;
        int search = 0;
        int window = FirstWindow;
        bool gapStart = true;
        while (true)
        {
            int limit = (int)Math.Min(text.Length, (long)Math.Max(done, search) + window);
            if (_added.TryFindNext(text, ref search, limit, done, out AddedTokens.Match match))
            {
                if ((match.Start > done && !EncodeGap(text, done, match.Start, gapStart, ref sink)) || !sink.Add(match.Id, match.Start, match.End))
                {
                    return;
                }

                done = match.End;
                gapStart = true;
                window = FirstWindow;
            }
            else if (limit == text.Length)
            {
                _ = done >= limit || EncodeGap(text, done, limit, gapStart, ref sink);
                return;
            }
            else if (SafeEnd(text, done, limit) is var safe && safe > done)
            {
                if (!EncodeGap(text, done, safe, gapStart, ref sink))
                {
                    return;
                }

                done = safe;
                gapStart = false;
                window = FirstWindow;
            }
            else
            {
                window = Math.Min(2 * window, 1 << 30);
            }
        }
    }

    // The last place in (from, limit) where a new word or segment starts whatever follows, with a character before the limit
    // that no added token can swallow as white space.
    private int SafeEnd(ReadOnlySpan<char> text, int from, int limit)
    {
        if (!_addedNormalized.IsEmpty)
        {
            return from;
        }

        int solid = from + text[from..limit].TrimEnd().Length;
        if (_pipeline.SplitsWords && text[from..solid].LastIndexOfAny(_space, _wordStart) is > 0 and int word)
        {
            return from + word;
        }

        int at = _model.IsPlain ? solid - 1 : from;
        while (at > from && !_model.CanCut(text, at))
        {
            at--;
        }

        return Math.Max(at, from);
    }

    private bool EncodeGap(ReadOnlySpan<char> text, int start, int end, bool gapStart, ref TokenSink sink)
    {
        if (_addedNormalized.IsEmpty)
        {
            return EncodeWords(text, start, end, gapStart, ref sink);
        }

        // Added tokens of the second kind see the gap only, normalised; characters keep their places.
        char[] normalized = text[start..end].ToArray();
        normalized.AsSpan().Replace(_pipeline.NormalizedFrom, _pipeline.NormalizedTo);
        int done = 0;
        int search = 0;
        while (_addedNormalized.TryFindNext(normalized, ref search, normalized.Length, done, out AddedTokens.Match match))
        {
            if ((match.Start > done && !EncodeWords(text, start + done, start + match.Start, gapStart: true, ref sink)) || !sink.Add(match.Id, start + match.Start, start + match.End))
            {
                return false;
            }

            done = match.End;
        }

        return done >= normalized.Length || EncodeWords(text, start + done, end, gapStart: true, ref sink);
    }

    private bool EncodeWords(ReadOnlySpan<char> text, int start, int end, bool gapStart, ref TokenSink sink)
    {
        char space = _space;
        char wordStart = _wordStart;
        bool startsWord = text[start] == space || text[start] == wordStart;
        WordPrefix prefix = gapStart && !startsWord && _pipeline.Prepends(start) ? WordPrefix.Virtual : WordPrefix.None;
        if (!_pipeline.SplitsWords)
        {
            return EncodeSegments(text, start, end, prefix, ref sink);
        }

        Vector256<ushort> spaces = Vector256.Create((ushort)space);
        Vector256<ushort> wordStarts = Vector256.Create((ushort)wordStart);
        Vector256<ushort> places = Vector256<ushort>.Indices;
        WordCache words = sink.State.Words;
        bool caches = _model.IsPlain;
        for (int at = start; at < end; prefix = WordPrefix.Real)
        {
            if (at > start || startsWord)
            {
                prefix = WordPrefix.Real;
                at++;
            }

            int length;
            if (at + WordCache.LongestWord <= text.Length && caches)
            {
                Vector256<ushort> units = Vector256.LoadUnsafe(ref Unsafe.As<char, ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at)));
                uint stops = (Vector256.Equals(units, spaces) | Vector256.Equals(units, wordStarts)).ExtractMostSignificantBits();
                length = Math.Min(System.Numerics.BitOperations.TrailingZeroCount(stops | 0x1_0000), end - at);
                if (length < WordCache.LongestWord || at + length == end || text[at + length] == space || text[at + length] == wordStart)
                {
                    Vector256<ushort> key = units & Vector256.LessThan(places, Vector256.Create((ushort)length));
                    ReadOnlySpan<int> known = words.Find(key, WordCache.Shape(length, prefix != WordPrefix.None));
                    if (!(known.IsEmpty ? EncodeSegment(text, at, at + length, prefix, ref sink) : sink.TryAddWord(known, at + length) || AddWord(text, at, prefix, known, ref sink)))
                    {
                        return false;
                    }

                    at += length;
                    continue;
                }
            }

            length = text[at..end].IndexOfAny(space, wordStart);
            int wordEnd = length < 0 ? end : at + length;
            if (!EncodeSegments(text, at, wordEnd, prefix, ref sink))
            {
                return false;
            }

            at = wordEnd;
        }

        return true;
    }

    // Cuts where nothing can merge, so that long words become short ones.
    private bool EncodeSegments(ReadOnlySpan<char> text, int start, int end, WordPrefix prefix, ref TokenSink sink)
    {
        if (_model.IsPlain && (end - start > WordCache.LongestWord || !_pipeline.SplitsWords))
        {
            for (int at = start + 1; at < end; at++)
            {
                if (_model.CanCut(text, at))
                {
                    if (!EncodeSegment(text, start, at, prefix, ref sink))
                    {
                        return false;
                    }

                    start = at;
                    prefix = WordPrefix.None;
                }
            }
        }

        return EncodeSegment(text, start, end, prefix, ref sink);
    }

    private bool EncodeSegment(ReadOnlySpan<char> text, int start, int end, WordPrefix prefix, ref TokenSink sink)
    {
        ReadOnlySpan<char> segment = text[start..end];
        if (!_model.IsPlain)
        {
            return AddSymbols(start, segment, prefix, _model.MergeLinked(segment, prefix, sink.State.Merge), ref sink);
        }

        if (segment.Length > WordCache.LongestWord)
        {
            ReadOnlySpan<int> merged = _model.Merge(segment, prefix, sink.State.Merge);
            return sink.TryAddWord(merged, end) || AddWord(text, start, prefix, merged, ref sink);
        }

        WordCache words = sink.State.Words;
        Vector256<ushort> key = WordCache.Key(segment);
        uint shape = WordCache.Shape(segment.Length, prefix != WordPrefix.None);
        ReadOnlySpan<int> ids = words.Find(key, shape);
        if (ids.IsEmpty)
        {
            ids = _model.Merge(segment, prefix, sink.State.Merge);
            words.Add(key, shape, ids);
        }

        return sink.TryAddWord(ids, end) || AddWord(text, start, prefix, ids, ref sink);
    }

    // One by one, with offsets worked out from the ids: each id stands for a known number of UTF-16 units, and the byte
    // tokens of one character for that character.
    private bool AddWord(ReadOnlySpan<char> text, int start, WordPrefix prefix, ReadOnlySpan<int> ids, ref TokenSink sink)
    {
        int at = prefix == WordPrefix.Real ? start - 1 : start;
        int unseen = prefix == WordPrefix.Virtual ? 1 : 0;
        for (int token = 0; token < ids.Length;)
        {
            int width = _model.Width(ids[token], out int bytes) - unseen;
            unseen = 0;
            int end = at + (width > 0 ? width : FirstCharacter(text[at..]));
            for (int part = 0; part < bytes; part++)
            {
                if (!sink.Add(ids[token++], at, end))
                {
                    return false;
                }
            }

            at += width;
        }

        return true;
    }

    private static bool AddSymbols(int start, ReadOnlySpan<char> segment, WordPrefix prefix, MergeScratch symbols, ref TokenSink sink)
    {
        int from = prefix == WordPrefix.Real ? start - 1 : start;
        for (int at = 0; at >= 0; at = symbols.Next[at])
        {
            int end = symbols.Ends[at] > symbols.Starts[at] ? symbols.Ends[at] : symbols.Starts[at] + FirstCharacter(segment);
            if (!sink.Add(symbols.Ids[at], from + symbols.Starts[at], from + end))
            {
                return false;
            }
        }

        return true;
    }

    private static int FirstCharacter(ReadOnlySpan<char> text) => text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
}
