namespace SkMmBert;

/// <summary>Who carries on at one exit of a progressive reranking.</summary>
/// <param name="Exit">The exit where it is decided.</param>
/// <param name="AtLeast">How many always carry on.</param>
/// <param name="Margin">A text carries on if its logit is at most this much below that of the last of those; null to take <paramref name="Share"/>.</param>
/// <param name="Share">Share of the texts that carries on where there is no margin.</param>
internal sealed record RerankStep(int Exit, int AtLeast, float? Margin, float Share)
{
    /// <summary>An upper bound of the number that carries on.</summary>
    public int MostKept(int count, int top) => Margin is null ? Kept(count, top) : count;

    /// <summary>Those of the given texts that carry on, in the order given.</summary>
    public int[] Survivors(float[] logits, int[] texts, int top)
    {
        int[] ranked = [.. texts.OrderByDescending(text => logits[text])];
        if (ranked.Length == 0)
        {
            return [];
        }

        int kept = Kept(texts.Length, top);
        if (Margin is float margin)
        {
            float floor = logits[ranked[kept - 1]] - margin;
            while (kept < ranked.Length && logits[ranked[kept]] >= floor)
            {
                kept++;
            }
        }

        HashSet<int> survivors = [.. ranked.Take(kept)];
        return [.. texts.Where(survivors.Contains)];
    }

    private int Kept(int count, int top) => Math.Min(count, Math.Max(1, Math.Max(Math.Max(AtLeast, top), Margin is null ? (int)Math.Ceiling(count * Share) : 0)));
}
