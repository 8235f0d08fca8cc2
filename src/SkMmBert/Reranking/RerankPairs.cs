namespace SkMmBert;

/// <summary>Query and texts as token ids that fit a limit.</summary>
/// <param name="Units">What goes through the model: one or, for a sliced text, several for each text, in text order.</param>
/// <param name="CutAt">Where reading each text stopped; null where nothing was cut, [texts].</param>
internal sealed record RerankPairs(IReadOnlyList<RerankUnit> Units, int?[] CutAt)
{
    // Slices share an eighth, so that an answer across a border stands whole in one of them.
    private const int OverlapShare = 8;

    public static RerankPairs Encode(TextTokenizer tokenizer, string query, IReadOnlyList<string> texts, int maxTokens, LongTextPolicy policy, CancellationToken cancellationToken)
    {
        int budget = maxTokens - tokenizer.PairSpecialTokens, limit = budget + 1;
        int[] buffer = new int[limit];
        int[] queryIds = buffer[..tokenizer.Encode(query.AsSpan(), buffer, out _)];
        List<RerankUnit> units = new(texts.Count);
        int?[] cutAt = new int?[texts.Count];
        for (int i = 0; i < texts.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string text = texts[i] ?? throw new ArgumentException($"Text {i} is null. Give an empty string for a text without content.", nameof(texts));
            ReadOnlySpan<int> ids = buffer.AsSpan(0, tokenizer.Encode(text.AsSpan(), buffer, out _));
            if (queryIds.Length + ids.Length <= budget)
            {
                units.Add(new RerankUnit(i, Join(tokenizer, queryIds, ids, maxTokens)));
            }
            else if (policy == LongTextPolicy.Refuse)
            {
                throw new ArgumentException(
                    $"Text {i} and the query have more than {budget} tokens together. Shorten the text, raise MaxTokens or choose another LongTextPolicy.", nameof(texts));
            }
            else if (policy == LongTextPolicy.Cut)
            {
                units.Add(new RerankUnit(i, Cut(tokenizer, query, text, queryIds, ids, maxTokens, out int read)));
                cutAt[i] = read;
            }
            else
            {
                cutAt[i] = Slice(tokenizer, i, text, queryIds, budget, maxTokens, units) ? text.Length : null;
            }
        }

        return new RerankPairs(units, cutAt);
    }

    private static int[] Cut(TextTokenizer tokenizer, string query, string text, ReadOnlySpan<int> queryIds, ReadOnlySpan<int> textIds, int maxTokens, out int read)
    {
        int budget = maxTokens - tokenizer.PairSpecialTokens;
        if (queryIds.Length > budget && textIds.Length > budget)
        {
            // Neither side was read to its end, so only the tokenizer can tell which is longer.
            EncodedText pair = tokenizer.EncodePair(query, text, maxTokens);
            read = pair.Offsets.Length > 1 ? pair.Offsets[^2].End : 0;
            return pair.Ids;
        }

        int kept = PipelineTokenizer.PairLengths(queryIds.Length, textIds.Length, budget, queryIds.Length > textIds.Length).Second;
        int[] again = new int[kept];
        read = 0;
        if (kept > 0)
        {
            tokenizer.Encode(text.AsSpan(), again, out read);
        }

        return Join(tokenizer, queryIds, textIds, maxTokens);
    }

    // Returns whether the query had to be cut, too.
    private static bool Slice(TextTokenizer tokenizer, int index, string text, ReadOnlySpan<int> queryIds, int budget, int maxTokens, List<RerankUnit> units)
    {
        ReadOnlySpan<int> query = queryIds[..Math.Min(queryIds.Length, budget / 2)];
        int room = budget - query.Length;
        int[] ids = tokenizer.Encode(text, addSpecialTokens: false).Ids;
        for (int start = 0; ; start += Math.Max(1, room - (room / OverlapShare)))
        {
            // The last slice ends with the text and is as long as the others.
            bool last = start + room >= ids.Length;
            int from = last ? Math.Max(0, ids.Length - room) : start;
            units.Add(new RerankUnit(index, Join(tokenizer, query, ids.AsSpan(from, Math.Min(room, ids.Length - from)), maxTokens)));
            if (last)
            {
                return query.Length < queryIds.Length;
            }
        }
    }

    private static int[] Join(TextTokenizer tokenizer, ReadOnlySpan<int> query, ReadOnlySpan<int> text, int maxTokens)
    {
        int[] ids = new int[Math.Min(maxTokens, query.Length + text.Length + tokenizer.PairSpecialTokens)];
        int written = tokenizer.AddSpecialTokens(query, text, ids, maxTokens);
        return written == ids.Length ? ids : ids[..written];
    }
}

/// <summary>One run of a text, or of a slice of it, beside the query.</summary>
internal sealed record RerankUnit(int Text, int[] Ids);
