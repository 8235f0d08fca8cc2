namespace SkMmBert;

/// <summary>Asks a cross-encoder when the search alone cannot tell the best tools apart.</summary>
internal static class ToolReranking
{
    private const float CloseChance = 0.6f;     // a best tool surer than this is left alone
    private const int Most = 8;
    private const float Weight = 0.7f;

    /// <summary>Reorders the best hits in place on a close call. A reranker that fails changes nothing.</summary>
    /// <returns>A note for the decision's reason, or <see langword="null"/>.</returns>
    public static async Task<string?> OnCloseCallAsync(Reranker reranker, string query, ToolIndex index, Memory<ToolHit> hits, CancellationToken cancellationToken)
    {
        int count = Math.Min(Most, hits.Length);
        if (count < 2 || Chance(hits.Span) > CloseChance)
        {
            return null;
        }

        try
        {
            string[] texts = new string[count];
            for (int i = 0; i < count; i++)
            {
                texts[i] = ToolText.Of(index.Profiles[hits.Span[i].Tool]);
            }

            float[] scores = await reranker.ScoreAsync(query, texts, cancellationToken).ConfigureAwait(false);
            return Blend(hits.Span[..count], scores) ? " The reranker decided among the closest." : " The reranker's scores were not usable.";
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return $" The reranker failed: {error.Message}";
        }
    }

    // Reranker scores have no scale of their own: what counts is where a tool stands among those compared.
    private static bool Blend(Span<ToolHit> hits, float[] scores)
    {
        if (scores.Length != hits.Length || !scores.All(float.IsFinite))
        {
            return false;
        }

        float mean = scores.Average(), spread = MathF.Sqrt(scores.Average(score => (score - mean) * (score - mean)));
        if (spread > 0)
        {
            for (int i = 0; i < hits.Length; i++)
            {
                hits[i] = hits[i] with { Score = hits[i].Score + (Weight * (scores[i] - mean) / spread) };
            }

            // Stable: equal scores keep the search's order.
            for (int i = 1; i < hits.Length; i++)
            {
                for (int j = i; j > 0 && hits[j - 1].Score < hits[j].Score; j--)
                {
                    (hits[j - 1], hits[j]) = (hits[j], hits[j - 1]);
                }
            }
        }

        return true;
    }

    private static float Chance(ReadOnlySpan<ToolHit> hits)
    {
        float sum = 0;
        foreach (ToolHit hit in hits)
        {
            sum += MathF.Exp(hit.Score - hits[0].Score);
        }

        return 1 / sum;
    }
}
