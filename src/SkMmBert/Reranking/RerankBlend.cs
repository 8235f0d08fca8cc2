namespace SkMmBert;

/// <summary>The order that scores of two stages give. Pure functions.</summary>
internal static class RerankBlend
{
    /// <summary>First-stage scores; where there are none the place stands for one.</summary>
    public static float[] FirstScores<T>(IReadOnlyList<T> items, Func<T, float>? firstScore)
    {
        float[] scores = new float[items.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = firstScore is null ? 1f / (10 + i) : firstScore(items[i]);
        }

        return scores;
    }

    public static RerankOrder<T> Order<T>(IReadOnlyList<T> items, float[] first, bool hasFirst, RerankScore[] scores, RerankOptions options)
    {
        float weight = options.BlendWeight;
        bool blended = weight < 1 && scores.Any(score => score.IsScored);
        float[] keys = blended ? Blend(first, scores, weight) : [.. scores.Select(score => score.Order)];
        int[] order = Sort(scores, keys);
        List<RankedItem<T>> ranked = [];
        foreach (int i in order)
        {
            if (ranked.Count == (options.Top ?? int.MaxValue))
            {
                break;
            }

            if (!scores[i].IsScored || options.MinimumScore is not float floor || scores[i].Score >= floor)
            {
                float shown = !scores[i].IsScored ? (hasFirst ? first[i] : 0f) : blended ? keys[i] : scores[i].Score;
                ranked.Add(new RankedItem<T>(items[i], i, shown, scores[i]));
            }
        }

        return new RerankOrder<T>(ranked, blended, null);
    }

    public static IReadOnlyList<RankedItem<T>> Unchanged<T>(IReadOnlyList<T> items, float[] first, bool hasFirst, int? top) =>
        [.. items.Take(top ?? int.MaxValue).Select((item, i) => new RankedItem<T>(item, i, hasFirst ? first[i] : 0f, default))];

    /// <summary>
    /// Both stages brought to mean 0 and deviation 1 within the query, then mixed. Heads of different layers have different scales, so each exit has its own.
    /// </summary>
    public static float[] Blend(ReadOnlySpan<float> first, ReadOnlySpan<RerankScore> scores, float weight)
    {
        float[] keys = new float[scores.Length], firstScaled = Standardise(first);
        Dictionary<int, List<int>> byExit = [];
        for (int i = 0; i < scores.Length; i++)
        {
            keys[i] = float.NegativeInfinity;
            if (scores[i].IsScored)
            {
                byExit.TryAdd(scores[i].Exit, []);
                byExit[scores[i].Exit].Add(i);
            }
        }

        foreach (List<int> texts in byExit.Values)
        {
            float[] values = new float[texts.Count];
            for (int j = 0; j < values.Length; j++)
            {
                values[j] = scores[texts[j]].Order;
            }

            values = Standardise(values);
            for (int j = 0; j < values.Length; j++)
            {
                keys[texts[j]] = (weight * values[j]) + ((1 - weight) * firstScaled[texts[j]]);
            }
        }

        return keys;
    }

    /// <summary>Best first: scored texts of the latest exit, then those of earlier ones, then the rest; equal ones stay as they were.</summary>
    public static int[] Sort(RerankScore[] scores, float[] keys)
    {
        int[] order = [.. Enumerable.Range(0, scores.Length)];
        Array.Sort(order, (a, b) =>
        {
            int exit = scores[b].Exit.CompareTo(scores[a].Exit);
            int key = exit != 0 || !scores[a].IsScored ? exit : keys[b].CompareTo(keys[a]);
            return key != 0 ? key : a.CompareTo(b);
        });
        return order;
    }

    private static float[] Standardise(ReadOnlySpan<float> values)
    {
        double mean = 0, square = 0;
        foreach (float value in values)
        {
            mean += value;
        }

        mean /= Math.Max(1, values.Length);
        foreach (float value in values)
        {
            square += (value - mean) * (value - mean);
        }

        double deviation = Math.Sqrt(square / Math.Max(1, values.Length));
        float[] scaled = new float[values.Length];
        for (int i = 0; i < scaled.Length; i++)
        {
            scaled[i] = deviation > 1e-9 ? (float)((values[i] - mean) / deviation) : 0f;
        }

        return scaled;
    }
}

/// <summary>The outcome of one reranking.</summary>
/// <param name="Items">Best first.</param>
/// <param name="Blended">Whether the first stage had a say.</param>
/// <param name="Failure">What went wrong where the order was left as it was.</param>
/// <param name="Off">Whether nothing was to be scored.</param>
internal sealed record RerankOrder<T>(IReadOnlyList<RankedItem<T>> Items, bool Blended, Exception? Failure, bool Off = false);
