namespace SkMmBert;

/// <summary>One tool of a search.</summary>
/// <param name="Tool">Its index in the catalogue.</param>
/// <param name="Score">The mixed score: the softmax over a list is the chance that a tool is meant.</param>
/// <param name="Dense">Its cosine.</param>
/// <param name="Lexical">Its BM25.</param>
internal readonly record struct ToolHit(int Tool, float Score, float Dense, float Lexical);

/// <summary>Finds the best tools for a question. Allocates nothing.</summary>
internal static class ToolSearch
{
    /// <summary>Hits of a search: enough for the longest list and for the softmax.</summary>
    public const int Candidates = 64;

    /// <summary>Writes the best tools, best first; equal scores keep catalogue order.</summary>
    /// <returns>The number written and what tells whether any of them fits.</returns>
    public static (int Count, ToolSignals Signals) Run(ToolIndex index, ToolQuery query, ReadOnlySpan<float> weights, Span<ToolHit> hits)
    {
        using ToolScores scores = ToolScores.Of(index, query);
        Span<float> mixed = scores.Mixed;
        ToolMixer.Mix(scores, index.Described, weights, mixed);
        int count = 0;
        for (int tool = 0; tool < mixed.Length; tool++)
        {
            float score = mixed[tool];
            if (count == hits.Length && !(score > hits[count - 1].Score))
            {
                continue;
            }

            int at = count == hits.Length ? count - 1 : count++;
            for (; at > 0 && hits[at - 1].Score < score; at--)
            {
                hits[at] = hits[at - 1];
            }

            hits[at] = new ToolHit(tool, score, scores.Dense[tool], scores.Lexical[tool]);
        }

        return (count, ToolSignals.Of(index, scores, query, hits[..count]));
    }
}

/// <summary>What tells whether the best tool fits at all; each is of the same meaning whatever the model.</summary>
/// <param name="Likeness">Best tool's cosine: 0 as small talk reaches it, 1 for equal texts.</param>
/// <param name="Standing">Best tool's cosine, in spreads above the mean of all tools.</param>
/// <param name="Lead">How far that is above the next best cosine, in spreads.</param>
/// <param name="Chance">Softmax of the best tool's score.</param>
/// <param name="Words">Best tool's BM25 as a share of the weight of the question's words.</param>
/// <param name="Name">Share of the best tool's name that was said.</param>
/// <param name="Known">Weight of the question's words that some tool has, as a share of all.</param>
/// <param name="Learned">Best score of the tools that labelled questions named; not a number where the best tool is none of them.</param>
internal readonly record struct ToolSignals(float Likeness, float Standing, float Lead, float Chance, float Words, float Name, float Known, float Learned)
{
    /// <summary>Signals without <see cref="Learned"/>.</summary>
    public const int Length = 7;

    public static ToolSignals Of(ToolIndex index, in ToolScores scores, ToolQuery query, ReadOnlySpan<ToolHit> hits)
    {
        if (hits.IsEmpty)
        {
            return default(ToolSignals) with { Learned = float.NaN };
        }

        float sum = 0, next = float.MinValue;
        foreach (ToolHit hit in hits[..Math.Min(hits.Length, ToolSearch.Candidates)])
        {
            sum += MathF.Exp(hit.Score - hits[0].Score);
            next = hit.Tool == hits[0].Tool ? next : MathF.Max(next, hit.Dense);
        }

        int best = hits[0].Tool;
        return new ToolSignals(
            (hits[0].Dense - index.SmallTalk) / MathF.Max(0.05f, 1 - index.SmallTalk),
            (hits[0].Dense - scores.DenseMean) / scores.DenseSpread,
            hits.Length > 1 ? (hits[0].Dense - next) / scores.DenseSpread : 0,
            1 / sum,
            scores.Terms.TotalWeight > 0 ? hits[0].Lexical / scores.Terms.TotalWeight : 0,
            MathF.Min(1, scores.Names[best]),
            scores.KnownShare,
            index.Learned is { } learned && index.LearnedRows[best] >= 0 ? learned.Best(index.LearnedRows, query.Views[0]) : float.NaN);
    }

    /// <summary>Writes all signals, <see cref="Learned"/> last.</summary>
    public void CopyTo(Span<float> values)
    {
        (values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7]) = (Likeness, Standing, Lead, Chance, Words, Name, Known, Learned);
    }
}
