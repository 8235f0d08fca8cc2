namespace SkMmBert;

/// <summary>Every stop of a reranker on every text of one query, each layer run once: what calibrations are learned from.</summary>
/// <param name="Logits">Of the head at each stop; empty where a stop has none, [stops][texts].</param>
/// <param name="States">What a probe reads, that of the text's best slice, [stops][texts][features].</param>
/// <param name="Tokens">Tokens of each text beside the query, [texts].</param>
internal sealed record RerankSurvey(float[][] Logits, float[][][] States, int[] Tokens)
{
    public static RerankSurvey Of(MmBertModel model, ScoreHeads heads, RerankNorm norm, RerankUnit[] units, int dimension, IReadOnlyList<int> stops, CancellationToken cancellationToken)
    {
        int width = RerankFeatures.Width(model);
        float[][] logits = [.. stops.Select(stop => heads.Exits.Contains(stop) ? new float[units.Length] : [])];   // [stops][units]
        float[][][] states = [.. stops.Select(_ => new float[units.Length][])];
        List<int[]> batches = model.Plan([.. units.Select(unit => unit.Ids.Length)], model.Options.MaxBatchTokens);
        RerankStreams.Run(RerankStreams.Of(model), batches.Count, cancellationToken, i =>
        {
            int[] batch = batches[i];
            RerankStops.Walk(model, TokenBatch.Of([.. batch.Select(unit => units[unit].Ids)]), stops, (stop, state) =>
            {
                float[] features = RerankFeatures.Of(model, state, norm.At(stops[stop]));
                for (int row = 0; row < batch.Length; row++)
                {
                    states[stop][batch[row]] = features[(row * width)..((row + 1) * width)];
                    if (logits[stop].Length > 0)
                    {
                        heads.Score(stops[stop], dimension, states[stop][batch[row]], width, logits[stop].AsSpan(batch[row], 1));
                    }
                }
            }, cancellationToken);
        });
        return OfTexts(logits, states, units);
    }

    // The best slice counts: at each head the best there, for probes the one that is best in the end.
    private static RerankSurvey OfTexts(float[][] logits, float[][][] states, RerankUnit[] units)
    {
        int[][] slices = [.. Enumerable.Range(0, units.Length).GroupBy(unit => units[unit].Text).OrderBy(group => group.Key).Select(group => group.ToArray())];
        int[] best = [.. slices.Select(own => own.MaxBy(unit => logits[^1][unit]))];
        return new RerankSurvey(
            [.. logits.Select(stop => stop.Length == 0 ? stop : [.. slices.Select(own => own.Max(unit => stop[unit]))])],
            [.. states.Select(stop => best.Select(unit => stop[unit]).ToArray())],
            [.. slices.Select(own => own.Sum(unit => units[unit].Ids.Length))]);
    }
}
