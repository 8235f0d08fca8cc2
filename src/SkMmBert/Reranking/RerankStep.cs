namespace SkMmBert;

/// <summary>Who carries on at one exit of a progressive reranking.</summary>
/// <param name="Exit">The exit where it is decided.</param>
/// <param name="AtLeast">How many always carry on.</param>
/// <param name="Margin">A text carries on if its guess is at most this much below that of the last of those; null to take <paramref name="Share"/>.</param>
/// <param name="Share">Share of the texts that carries on where there is no margin.</param>
internal sealed record RerankStep(int Exit, int AtLeast, float? Margin, float Share)
{
    /// <summary>What the last exit's logit is guessed from: one weight for the logits of each step so far, then one for the place in first-stage order. Empty to take the logits of this exit.</summary>
    public IReadOnlyList<float> Weights { get; init; } = [];

    /// <summary>The guess for each text, up to a constant; <paramref name="visited"/> are the logits of the steps so far, this one last.</summary>
    public float[] Guess(IReadOnlyList<float[]> visited)
    {
        if (Weights.Count == 0)
        {
            return visited[^1];
        }

        float[] guess = new float[visited[^1].Length];
        for (int text = 0; text < guess.Length; text++)
        {
            float sum = Weights[^1] * Place(text);
            for (int step = 0; step < visited.Count; step++)
            {
                sum += Weights[step] * visited[step][text];
            }

            guess[text] = sum;
        }

        return guess;
    }

    /// <summary>How a place in first-stage order counts.</summary>
    public static float Place(int index) => -MathF.Log(1 + index);

    /// <summary>An upper bound of the number that carries on.</summary>
    public int MostKept(int count, int top) => Margin is null ? Kept(count, top) : count;

    /// <summary>Those of the given texts that carry on, in the order given.</summary>
    public int[] Survivors(float[] guess, int[] texts, int top)
    {
        int[] ranked = [.. texts.OrderByDescending(text => guess[text])];
        if (ranked.Length == 0)
        {
            return [];
        }

        int kept = Kept(texts.Length, top);
        if (Margin is float margin)
        {
            float floor = guess[ranked[kept - 1]] - margin;
            while (kept < ranked.Length && guess[ranked[kept]] >= floor)
            {
                kept++;
            }
        }

        HashSet<int> survivors = [.. ranked.Take(kept)];
        return [.. texts.Where(survivors.Contains)];
    }

    private int Kept(int count, int top) => Math.Min(count, Math.Max(1, Math.Max(Math.Max(AtLeast, top), Margin is null ? (int)Math.Ceiling(count * Share) : 0)));
}
