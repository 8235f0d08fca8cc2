namespace SkMmBert;

/// <summary>Every head of a reranker on every text, each layer run once.</summary>
internal static class RerankHeads
{
    public static IReadOnlyDictionary<string, float[]> Score(MmBertModel model, ScoreHeads heads, RerankNorm norm, RerankUnit[] all, int texts, CancellationToken cancellationToken)
    {
        Dictionary<string, float[]> result = [];
        foreach (int exit in heads.Exits)
        {
            foreach (int dimension in heads.Dimensions)
            {
                float[] logits = result[$"{exit}.{dimension}"] = new float[texts];
                logits.AsSpan().Fill(float.NegativeInfinity);
            }
        }

        int width = model.Manifest.HiddenSize;
        foreach (int[] units in model.Plan([.. all.Select(unit => unit.Ids.Length)], model.Options.MaxBatchTokens))
        {
            RerankStops.Walk(model, TokenBatch.Of([.. units.Select(unit => all[unit].Ids)]), heads.Exits, (_, state) =>
            {
                float[] pooled = new float[units.Length * width], logits = new float[units.Length];
                model.Pool(state, norm.At(state.Exit), pooled);
                foreach (int dimension in heads.Dimensions)
                {
                    heads.Score(state.Exit, dimension, pooled, width, logits);
                    float[] best = result[$"{state.Exit}.{dimension}"];
                    for (int row = 0; row < units.Length; row++)
                    {
                        // The best slice counts.
                        int text = all[units[row]].Text;
                        best[text] = Math.Max(best[text], logits[row]);
                    }
                }
            }, cancellationToken);
        }

        return result;
    }
}
