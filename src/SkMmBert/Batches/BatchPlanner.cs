namespace SkMmBert;

/// <summary>Puts texts into batches, each bounded in tokens, the longest texts first.</summary>
internal static class BatchPlanner
{
    /// <summary>Where attention pads, texts longer than this share a batch only with texts of the same length: their score matrix would be too large, and they fill the processor alone.</summary>
    public const int LongestMixed = 256;

    /// <summary>Plans the batches of texts with the given token counts; every index appears exactly once, longest texts first.</summary>
    /// <param name="lengths">Tokens of each text.</param>
    /// <param name="maxBatchTokens">Most tokens in a batch; a longer text runs alone.</param>
    /// <param name="packs">Whether texts of any length run side by side without padding. Otherwise a batch counts as rows times the longest.</param>
    public static List<int[]> Plan(IReadOnlyList<int> lengths, int maxBatchTokens, bool packs)
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
            long tokens = longest;
            for (end = start + 1; end < order.Length && (packs || longest <= LongestMixed || lengths[order[end]] == longest); end++)
            {
                tokens += packs ? lengths[order[end]] : longest;
                if (tokens > maxBatchTokens)
                {
                    break;
                }
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
