namespace SkMmBert;

/// <summary>Who carries on at one exit of a progressive reranking.</summary>
/// <param name="Exit">The exit where it is decided.</param>
/// <param name="AtLeast">How many always carry on.</param>
/// <param name="Margin">A text carries on if its guess is at most this much below that of the last of those; null to take <paramref name="Share"/>.</param>
/// <param name="Share">Share of the texts that carries on where there is no margin.</param>
internal sealed record RerankStep(int Exit, int AtLeast, float? Margin, float Share)
{
    /// <summary>An upper bound of the number that carries on.</summary>
    public int MostKept(int count, int top) => Margin is null ? Kept(count, top) : count;

    /// <summary>Those of the given texts that carry on, in the order given; what has no finite guess carries on.</summary>
    public int[] Survivors(float[] guess, int[] texts, int top)
    {
        if (texts.Length == 0)
        {
            return [];
        }

        int kept = Kept(texts.Length, top);
        if (Margin is not float margin)
        {
            HashSet<int> best = [.. texts.OrderByDescending(text => guess[text]).Take(kept)];
            return [.. texts.Where(best.Contains)];
        }

        float[] values = Array.ConvertAll(texts, text => guess[text]);
        Array.Sort(values);
        float floor = values[^kept] - margin;
        return Array.FindAll(texts, text => !(guess[text] < floor));
    }

    private int Kept(int count, int top) => Math.Min(count, Math.Max(1, Math.Max(Math.Max(AtLeast, top), Margin is null ? (int)Math.Ceiling(count * Share) : 0)));
}
