namespace SkMmBert;

/// <summary>Measures what a reranker does to the candidates of a first stage.</summary>
internal static class RerankEvaluation
{
    /// <summary>Scores the candidates of every query at every exit.</summary>
    public static async Task<List<RerankTable>> TablesAsync(MmBertReranker reranker, IReadOnlyList<RerankSample> samples, RerankOptions options, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        List<RerankTable> tables = new(samples.Count);
        foreach (RerankSample sample in samples)
        {
            (float[][] logits, float[][][] states, int[] tokens) = await Task.Run(() => reranker.ScoreEveryExit(sample.Query, sample.Texts, options, cancellationToken), cancellationToken).ConfigureAwait(false);
            float[] first = RerankBlend.FirstScores(sample.Texts, null);
            tables.Add(new RerankTable(reranker.Exits, logits, tokens, sample.FirstScores is null ? first : [.. sample.FirstScores], sample) { States = states });
            progress?.Report(tables.Count);
        }

        return tables;
    }

    /// <summary>How often an exit's own ranking has the same top as the last exit's: the bound of what any progressive plan that trusts it can reach without carrying all on.</summary>
    public static (double SameTop1, double SameTop5, double Overlap5) ExitAgreement(IReadOnlyList<RerankTable> tables, int exit) => (
        tables.Average(table => table.Best(exit, 1).SequenceEqual(table.Best(table.Exits.Count - 1, 1)) ? 1 : 0),
        tables.Average(table => CalibrationOverlap(table, exit) == 1 ? 1 : 0),
        tables.Average(table => CalibrationOverlap(table, exit)));

    /// <summary>The progressive curve: for each allowed loss the share of layer-tokens and what was kept, fitted on every second query and measured on the others.</summary>
    public static IEnumerable<(double Loss, double Cost, double SameTop5, double SameTop1, IReadOnlyList<RerankStep> Steps)> ProgressiveCurve(IReadOnlyList<RerankTable> tables, IEnumerable<double> losses)
    {
        RerankTable[] fit = [.. tables.Where((_, i) => i % 2 == 0)], check = [.. tables.Where((_, i) => i % 2 == 1)];
        foreach (double loss in losses)
        {
            IReadOnlyList<RerankStep> steps = RerankCalibrationFit.FitSteps(fit, loss, 5).Steps;
            (double same5, double cost) = RerankCalibrationFit.Evaluate(check, steps, 5);
            yield return (loss, cost, same5, RerankCalibrationFit.Evaluate(check, steps, 1).Same, steps);
        }
    }

    /// <summary>Mean nDCG@10 and reciprocal rank of an order for each labelled query.</summary>
    public static (double Ndcg, double Mrr) Quality(IReadOnlyList<RerankTable> tables, Func<RerankTable, IReadOnlyList<int>> order)
    {
        RerankTable[] labelled = [.. tables.Where(table => !double.IsNaN(table.Ndcg([])))];
        return labelled.Length == 0 ? (double.NaN, double.NaN) : (labelled.Average(table => table.Ndcg(order(table))), labelled.Average(table => table.ReciprocalRank(order(table))));
    }

    private static double CalibrationOverlap(RerankTable table, int exit) => RerankCalibrationFit.Overlap(table, table.Best(exit, 5), 5);
}
