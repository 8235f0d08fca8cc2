namespace SkMmBert;

/// <summary>Puts texts into batches of similar length, each bounded in tokens.</summary>
internal static class BatchPlanner
{
    /// <summary>Texts longer than this share a batch only with texts of the same length: their score matrix would be too large, and they fill the processor alone.</summary>
    public const int LongestMixed = 256;

    /// <summary>Plans the batches of texts with the given token counts; every index appears exactly once, longest texts first.</summary>
    /// <param name="lengths">Tokens of each text.</param>
    /// <param name="maxBatchTokens">Most tokens in a batch, counted as rows times the longest; a longer text runs alone.</param>
    /// <param name="exactLengths">Whether only texts of the same length may share a batch, so that a text's arithmetic never depends on its neighbours.</param>
    public static List<int[]> Plan(IReadOnlyList<int> lengths, int maxBatchTokens, bool exactLengths)
    {
        int[] order = new int[lengths.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        // A stable order: equal lengths keep their input order.
        Array.Sort(order, (a, b) => lengths[a] != lengths[b] ? lengths[b].CompareTo(lengths[a]) : a.CompareTo(b));
        List<int[]> batches = [];
        for (int start = 0, end; start < order.Length; start = end)
        {
            int longest = lengths[order[start]];
            end = start + 1;
            while (end < order.Length && (long)(end - start + 1) * longest <= maxBatchTokens
                && (lengths[order[end]] == longest || (!exactLengths && longest <= LongestMixed)))
            {
                end++;
            }

            batches.Add(order[start..end]);
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
