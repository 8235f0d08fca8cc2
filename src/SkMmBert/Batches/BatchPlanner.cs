namespace SkMmBert;

/// <summary>Puts texts into batches: sorted by length, each batch at most a given number of tokens.</summary>
internal static class BatchPlanner
{
    /// <summary>Plans the batches of texts with the given token counts; every index appears exactly once, longest texts first.</summary>
    public static List<int[]> Plan(IReadOnlyList<int> lengths, int maxBatchTokens)
    {
        int[] order = new int[lengths.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        // A stable order: equal lengths keep their input order.
        Array.Sort(order, (a, b) => lengths[a] != lengths[b] ? lengths[b].CompareTo(lengths[a]) : a.CompareTo(b));
        List<int[]> batches = [];
        for (int start = 0; start < order.Length;)
        {
            int end = start, tokens = 0;
            while (end < order.Length && (end == start || tokens + lengths[order[end]] <= maxBatchTokens))
            {
                tokens += lengths[order[end++]];
            }

            batches.Add(order[start..end]);
            start = end;
        }

        return batches;
    }

    /// <summary>The batch budget that keeps several streams busy: an even share of all tokens, but not so small that runs cost more than their work.</summary>
    public static int Share(IReadOnlyList<int> lengths, int streams, int maxBatchTokens)
    {
        const int WorthARun = 256;
        long total = 0;
        for (int i = 0; i < lengths.Count; i++)
        {
            total += lengths[i];
        }

        return (int)Math.Min(maxBatchTokens, Math.Max(WorthARun, (total + streams - 1) / streams));
    }
}
