using System.Buffers;

namespace SkMmBert;

/// <summary>Turns a query, encoded once, and texts into token ids that fit a limit. Thread-safe.</summary>
internal sealed class RerankPairs
{
    // Slices share an eighth, so that an answer across a border stands whole in one of them.
    private const int OverlapShare = 8;

    // So many characters of a text are read to tell that it is not short.
    private const int Glance = 512;

    private readonly TextTokenizer _tokenizer;
    private readonly string _query;
    private readonly int[] _queryIds;
    private readonly IReadOnlyList<string> _texts;
    private readonly int _maxTokens;
    private readonly LongTextHandling _longTexts;

    public RerankPairs(TextTokenizer tokenizer, string query, IReadOnlyList<string> texts, int maxTokens, LongTextHandling longTexts)
    {
        (_tokenizer, _query, _texts, _maxTokens, _longTexts) = (tokenizer, query, texts, maxTokens, longTexts);
        int[] buffer = ArrayPool<int>.Shared.Rent(Limit);
        _queryIds = buffer[..tokenizer.Encode(query.AsSpan(), buffer.AsSpan(0, Limit), out _)];
        ArrayPool<int>.Shared.Return(buffer);
        CutAt = new int?[texts.Count];
    }

    /// <summary>Number of texts.</summary>
    public int Count => _texts.Count;

    /// <summary>Tokens of the two shortest pairs, at least: what it takes before any order can change. Long texts are not read to their end for that.</summary>
    public int LeastTokens
    {
        get
        {
            int query = Math.Min(_queryIds.Length, Budget) + _tokenizer.PairSpecialTokens;
            int[] buffer = new int[Glance];
            return Enumerable.Range(0, Count).Select(text => _texts[text] ?? "").OrderBy(text => text.Length).Take(2)
                .Sum(text => Math.Min(_maxTokens, query + _tokenizer.Encode(text.AsSpan(0, Math.Min(text.Length, Glance)), buffer, out _)));
        }
    }

    /// <summary>Where reading each text stopped; null where nothing was cut, [texts].</summary>
    public int?[] CutAt { get; }

    // What of the limit is left for query and text.
    private int Budget => _maxTokens - _tokenizer.PairSpecialTokens;

    // One more than fits tells that something must go.
    private int Limit => Budget + 1;

    /// <summary>The units of all texts, in text order.</summary>
    public RerankUnit[] EncodeAll(CancellationToken cancellationToken)
    {
        List<RerankUnit> units = new(Count);
        for (int i = 0; i < Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            units.AddRange(Encode(i));
        }

        return [.. units];
    }

    /// <summary>The units of one text: one, or several where it is sliced.</summary>
    public RerankUnit[] Encode(int index)
    {
        string text = _texts[index] ?? throw new ArgumentException($"Text {index} is null. Give an empty string for a text without content.", "texts");
        int[] buffer = ArrayPool<int>.Shared.Rent(Limit);
        try
        {
            ReadOnlySpan<int> ids = buffer.AsSpan(0, _tokenizer.Encode(text.AsSpan(), buffer.AsSpan(0, Limit), out _));
            if (_queryIds.Length + ids.Length <= Budget)
            {
                return [new RerankUnit(index, Join(_queryIds, ids))];
            }

            switch (_longTexts)
            {
                case LongTextHandling.Error:
                    throw new ArgumentException(
                        $"Text {index} and the query have more than {Budget} tokens together. Expected: at most that, since LongTexts is Error. Shorten the text, raise MaxTokens, or choose Cut or Chunk.", "texts");
                case LongTextHandling.Cut:
                    return [new RerankUnit(index, Cut(text, ids, out CutAt[index]))];
                default:
                    return Slice(index, text);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(buffer);
        }
    }

    private int[] Cut(string text, ReadOnlySpan<int> ids, out int? cutAt)
    {
        if (_queryIds.Length > Budget && ids.Length > Budget)
        {
            // Neither side was read to its end, so only the tokenizer can tell which is longer.
            EncodedText pair = _tokenizer.EncodePair(_query, text, _maxTokens);
            cutAt = pair.Offsets.Length > 1 ? pair.Offsets[^2].End : 0;
            return pair.Ids;
        }

        int kept = PipelineTokenizer.PairLengths(_queryIds.Length, ids.Length, Budget, _queryIds.Length > ids.Length).Second, read = 0;
        if (kept > 0)
        {
            _tokenizer.Encode(text.AsSpan(), new int[kept], out read);
        }

        cutAt = read;
        return Join(_queryIds, ids);
    }

    private RerankUnit[] Slice(int index, string text)
    {
        // A query longer than half of the room is cut, too; then the whole text counts as cut at its end.
        ReadOnlySpan<int> query = _queryIds.AsSpan(0, Math.Min(_queryIds.Length, Budget / 2));
        CutAt[index] = query.Length < _queryIds.Length ? text.Length : null;
        int room = Budget - query.Length;
        int[] ids = _tokenizer.Encode(text, addSpecialTokens: false).Ids;
        List<RerankUnit> units = [];
        for (int start = 0; ; start += Math.Max(1, room - (room / OverlapShare)))
        {
            // The last slice ends with the text and is as long as the others.
            bool last = start + room >= ids.Length;
            int from = last ? Math.Max(0, ids.Length - room) : start;
            units.Add(new RerankUnit(index, Join(query, ids.AsSpan(from, Math.Min(room, ids.Length - from)))));
            if (last)
            {
                return [.. units];
            }
        }
    }

    private int[] Join(ReadOnlySpan<int> query, ReadOnlySpan<int> text)
    {
        int[] ids = new int[Math.Min(_maxTokens, query.Length + text.Length + _tokenizer.PairSpecialTokens)];
        int written = _tokenizer.AddSpecialTokens(query, text, ids, _maxTokens);
        return written == ids.Length ? ids : ids[..written];
    }
}

/// <summary>One run of a text, or of a slice of it, beside the query.</summary>
internal sealed record RerankUnit(int Text, int[] Ids);
