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
            RerankSurvey survey = await Task.Run(() => reranker.Survey(sample.Query, sample.Texts, options, cancellationToken), cancellationToken).ConfigureAwait(false);
            float[] first = RerankBlend.FirstScores(sample.Texts, null);
            tables.Add(new RerankTable(reranker.Stops, survey.Logits, survey.Tokens, sample.FirstScores is null ? first : [.. sample.FirstScores], sample) { States = survey.States[..^1] });
            progress?.Report(tables.Count);
        }

        return tables;
    }

    /// <summary>How often an exit's own ranking has the same top as the last exit's: the bound of what any progressive plan that trusts it can reach without carrying all on.</summary>
    public static (double SameTop1, double SameTop5, double Overlap5) ExitAgreement(IReadOnlyList<RerankTable> tables, int exit) => (
        tables.Average(table => table.Best(exit, 1).SequenceEqual(table.Best(table.Stops.Count - 1, 1)) ? 1 : 0),
        tables.Average(table => CalibrationOverlap(table, exit) == 1 ? 1 : 0),
        tables.Average(table => CalibrationOverlap(table, exit)));

    /// <summary>The progressive curve: for each allowed loss the share of layer-tokens and what was kept, every query judged by a calibration of the other four fifths.</summary>
    public static IReadOnlyList<(double Loss, double Cost, double SameTop5, double SameTop1)> ProgressiveCurve(IReadOnlyList<RerankTable> tables, IReadOnlyList<double> losses)
    {
        int folds = Math.Min(5, tables.Count);
        if (folds < 2)
        {
            return [];
        }

        (double Cost, double Same5, double Same1)[] sums = new (double, double, double)[losses.Count];
        double full = tables.Sum(table => table.FullCost);
        for (int fold = 0; fold < folds; fold++)
        {
            RerankTable[] fit = [.. tables.Where((_, i) => i % folds != fold)], check = [.. tables.Where((_, i) => i % folds == fold)];
            (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(fit);
            float[][][] unseen = [.. probes.Select((probe, exit) => check.Select(table => table.Guess(exit, probe)).ToArray())];
            double part = check.Sum(table => table.FullCost);
            for (int i = 0; i < losses.Count; i++)
            {
                IReadOnlyList<RerankStep> steps = RerankPlanFit.Fit(fit, guesses, losses[i], 5).Steps;
                (int same5, double cost) = RerankPlanFit.Run(check, steps, unseen, 5);
                sums[i] = (sums[i].Cost + (cost * part), sums[i].Same5 + same5, sums[i].Same1 + RerankPlanFit.Run(check, steps, unseen, 1).Same);
            }
        }

        return [.. losses.Select((loss, i) => (loss, sums[i].Cost / full, sums[i].Same5 / tables.Count, sums[i].Same1 / tables.Count))];
    }

    /// <summary>How often the order by what is guessed at an exit has the same top 5 as the last exit's, for queries the probe has not seen.</summary>
    public static double GuessAgreement(IReadOnlyList<RerankTable> tables, float[][] guesses) =>
        tables.Zip(guesses, (table, guess) => RerankCalibrationFit.Overlap(table, [.. Enumerable.Range(0, table.Count).OrderByDescending(text => guess[text])], 5) == 1 ? 1.0 : 0).Average();

    /// <summary>Mean nDCG@10 and reciprocal rank of an order for each labelled query.</summary>
    public static (double Ndcg, double Mrr) Quality(IReadOnlyList<RerankTable> tables, Func<RerankTable, IReadOnlyList<int>> order)
    {
        RerankTable[] labelled = [.. tables.Where(table => !double.IsNaN(table.Ndcg([])))];
        return labelled.Length == 0 ? (double.NaN, double.NaN) : (labelled.Average(table => table.Ndcg(order(table))), labelled.Average(table => table.ReciprocalRank(order(table))));
    }

    private static double CalibrationOverlap(RerankTable table, int exit) => RerankCalibrationFit.Overlap(table, table.Best(exit, 5), 5);
}
