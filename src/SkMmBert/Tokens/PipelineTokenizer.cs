using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>What all tokenizers read from a file share: special tokens, truncation, pairs, decoding, pooled memory.</summary>
internal abstract class PipelineTokenizer : TextTokenizer
{
    private readonly TokenTexts _texts;
    private readonly PostProcessor _post;
    private readonly TokenDecoder _decoder;
    private readonly EncodeState?[] _pool = new EncodeState?[2 * Environment.ProcessorCount];

    protected PipelineTokenizer(TokenizerJson file)
    {
        _texts = new TokenTexts(file);
        _post = PostProcessor.Read(file.PostProcessor);
        _decoder = TokenDecoder.Read(file.Decoder);
        if (_post.HighestSpecialToken >= _texts.Count)
        {
            throw file.Fault($"the post-processor adds id {_post.HighestSpecialToken}, but the vocabulary ends at {_texts.Count - 1}");
        }

        PadTokenId = file.PaddingId ?? _texts.FirstKnown("<pad>", "[PAD]", "<|padding|>");
    }

    public override int VocabularySize => _texts.Count;

    public override int SpecialTokens => _post.SingleSpecialTokens;

    public override int PairSpecialTokens => _post.PairSpecialTokens;

    public override int? PadTokenId { get; }

    public override int? TokenToId(string token) => _texts.Find(token);

    public override string? IdToToken(int id) => _texts.Find(id);

    public override EncodedText Encode(string text, int maxTokens = int.MaxValue, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        int budget = Budget(maxTokens, addSpecialTokens ? SpecialTokens : 0);
        EncodeState state = Rent();
        TokenSink sink = TokenSink.Collecting(state, budget, offsets: true);
        Tokenize(text, ref sink);
        EncodedText encoded = Assemble(state, sink.Count, null, 0, addSpecialTokens, sink.Full);
        Return(state);
        return encoded;
    }

    public override EncodedText EncodePair(string first, string second, int maxTokens = int.MaxValue, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        int budget = Budget(maxTokens, addSpecialTokens ? PairSpecialTokens : 0);
        int limit = budget == int.MaxValue ? budget : budget + 1;
        EncodeState left = Rent();
        EncodeState right = Rent();
        TokenSink leftSink = TokenSink.Collecting(left, limit, offsets: true);
        Tokenize(first, ref leftSink);
        TokenSink rightSink = TokenSink.Collecting(right, limit, offsets: true);
        Tokenize(second, ref rightSink);
        bool firstLonger = leftSink.Count == limit && rightSink.Count == limit && budget % 2 != 0 ? IsLonger(first, second, limit) : leftSink.Count > rightSink.Count;
        (int ofFirst, int ofSecond) = PairLengths(leftSink.Count, rightSink.Count, budget, firstLonger);
        EncodedText encoded = Assemble(left, ofFirst, right, ofSecond, addSpecialTokens, ofFirst < leftSink.Count || ofSecond < rightSink.Count);
        Return(left);
        Return(right);
        return encoded;
    }

    public override int Encode(ReadOnlySpan<char> text, Span<int> ids, out int charactersRead) => Encode(text, ids, [], out charactersRead);

    public override int Encode(ReadOnlySpan<char> text, Span<int> ids, Span<TokenOffset> offsets, out int charactersRead)
    {
        if (!offsets.IsEmpty && offsets.Length < ids.Length)
        {
            throw new ArgumentException($"There is room for {offsets.Length} offsets; {ids.Length}, one for each id, or none are expected.", nameof(offsets));
        }

        EncodeState state = Rent();
        TokenSink sink = TokenSink.Into(state, ids, offsets);
        Tokenize(text, ref sink);
        charactersRead = sink.Full ? sink.End : text.Length;
        Return(state);
        return sink.Count;
    }

    public override int CountTokens(ReadOnlySpan<char> text) => CountTokens(text, int.MaxValue);

    public override int CountTokens(ReadOnlySpan<char> text, int atMost)
    {
        EncodeState state = Rent();
        TokenSink sink = TokenSink.Counting(state, atMost);
        Tokenize(text, ref sink);
        Return(state);
        return sink.Count;
    }

    public override int AddSpecialTokens(ReadOnlySpan<int> tokens, Span<int> ids, int maxTokens = int.MaxValue)
    {
        int kept = Math.Min(tokens.Length, Budget(maxTokens, SpecialTokens));
        return Fill(_post.Template(pair: false, special: true), tokens[..kept], [], ids);
    }

    public override int AddSpecialTokens(ReadOnlySpan<int> first, ReadOnlySpan<int> second, Span<int> ids, int maxTokens = int.MaxValue)
    {
        (int ofFirst, int ofSecond) = PairLengths(first.Length, second.Length, Budget(maxTokens, PairSpecialTokens), first.Length > second.Length);
        return Fill(_post.Template(pair: true, special: true), first[..ofFirst], second[..ofSecond], ids);
    }

    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        List<string> tokens = new(ids.Length);
        foreach (int id in ids)
        {
            string token = _texts.Find(id) ?? throw new ArgumentOutOfRangeException(nameof(ids), id, $"The id {id} has no token; ids of the vocabulary, from 0 to {VocabularySize - 1}, are expected.");
            if (!skipSpecialTokens || !_texts.IsSpecial(id))
            {
                tokens.Add(token);
            }
        }

        return _decoder.Decode(tokens);
    }

    /// <summary>Hands every token of the text to the sink, left to right, until the text ends or the sink refuses one.</summary>
    protected abstract void Tokenize(ReadOnlySpan<char> text, ref TokenSink sink);

    // Hugging Face's longest_first: the shorter side stays whole if the other then still is the longer; else both get half, the longer the odd token.
    internal static (int First, int Second) PairLengths(int first, int second, int budget, bool firstLonger)
    {
        if ((long)first + second <= budget)
        {
            return (first, second);
        }

        int shorter = Math.Min(first, second);
        int longer = shorter > budget ? shorter : Math.Max(shorter, budget - shorter);
        if ((long)shorter + longer > budget)
        {
            shorter = budget / 2;
            longer = shorter + (budget % 2);
        }

        return firstLonger ? (longer, shorter) : (shorter, longer);
    }

    // Both exceed the limit and the odd token goes to the longer: count on until one ends.
    private bool IsLonger(string first, string second, int limit)
    {
        while (true)
        {
            limit = limit > int.MaxValue / 2 ? int.MaxValue : 2 * limit;
            int ofFirst = CountTokens(first, limit);
            int ofSecond = CountTokens(second, limit);
            if (ofFirst < limit || ofSecond < limit || limit == int.MaxValue)
            {
                return ofFirst > ofSecond;
            }
        }
    }

    private static int Budget(int maxTokens, int specials, [CallerArgumentExpression(nameof(maxTokens))] string? name = null)
    {
        if (maxTokens < specials)
        {
            throw new ArgumentOutOfRangeException(name, maxTokens, $"At most {maxTokens} tokens are asked for, but {specials} of them are special tokens; at least {specials} is expected.");
        }

        return maxTokens == int.MaxValue ? maxTokens : maxTokens - specials;
    }

    private EncodedText Assemble(EncodeState first, int ofFirst, EncodeState? second, int ofSecond, bool special, bool truncated)
    {
        ReadOnlySpan<int> template = _post.Template(second is not null, special);
        int[] ids = new int[template.Length - (second is null ? 1 : 2) + ofFirst + ofSecond];
        TokenOffset[] offsets = new TokenOffset[ids.Length];
        int at = 0;
        foreach (int entry in template)
        {
            if (entry >= 0)
            {
                ids[at++] = entry;
                continue;
            }

            EncodeState state = PostProcessor.IsSecond(entry) ? second! : first;
            int count = PostProcessor.IsSecond(entry) ? ofSecond : ofFirst;
            Array.Copy(state.Ids, 0, ids, at, count);
            Array.Copy(state.Offsets, 0, offsets, at, count);
            at += count;
        }

        return new EncodedText(ids, offsets, truncated);
    }

    private static int Fill(ReadOnlySpan<int> template, ReadOnlySpan<int> first, ReadOnlySpan<int> second, Span<int> ids)
    {
        int at = 0;
        foreach (int entry in template)
        {
            if (entry >= 0)
            {
                ids[at++] = entry;
                continue;
            }

            ReadOnlySpan<int> side = PostProcessor.IsSecond(entry) ? second : first;
            side.CopyTo(ids[at..]);
            at += side.Length;
        }

        return at;
    }

    private EncodeState Rent()
    {
        EncodeState?[] pool = _pool;
        for (int place = 0; place < pool.Length; place++)
        {
            if (pool[place] is not null && Interlocked.Exchange(ref pool[place], null) is { } state)
            {
                return state;
            }
        }

        return new EncodeState();
    }

    private void Return(EncodeState state)
    {
        state.Trim();
        EncodeState?[] pool = _pool;
        for (int place = 0; place < pool.Length; place++)
        {
            if (pool[place] is null && Interlocked.CompareExchange(ref pool[place], state, null) is null)
            {
                return;
            }
        }
    }
}
