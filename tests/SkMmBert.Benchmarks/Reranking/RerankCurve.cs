namespace SkMmBert.Benchmarks.Reranking;

/// <summary>The progressive curve, what the heads and the probes themselves allow, and what a share of the work gives a deadline.</summary>
internal static class RerankCurve
{
    public static int Run(string[] args)
    {
        (string Set, RerankTable Table)[] rows = [.. RerankTables.Read(args[0]).GroupBy(row => row.Dimension).First().Select(row => (row.Set, row.Table))];
        if (!args.Contains("--all"))
        {
            rows = [.. rows.Select(row => ("all", row.Table))];
        }

        if (args.Contains("--heads"))
        {
            // What the logits alone allow.
            rows = [.. rows.Select(row => (row.Set, row.Table.OfHeads()))];
        }

        foreach (IGrouping<string, RerankTable> set in rows.GroupBy(row => row.Set, row => row.Table))
        {
            List<RerankTable> tables = [.. set];
            Console.WriteLine($"{set.Key}: {tables.Count} queries, {tables.Average(table => table.Count):0} texts, {tables.Average(table => table.Tokens.Average()):0} tokens a pair");
            (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(tables);
            for (int stop = 0; stop < probes.Length; stop++)
            {
                (double top1, double top5, double overlap) = tables[0].HasHead(stop) ? RerankEvaluation.ExitAgreement(tables, stop) : (double.NaN, double.NaN, double.NaN);
                Console.WriteLine($"  layer {tables[0].Stops[stop]}, by its head: same top 1 {top1:0.000}, same top 5 {top5:0.000}, overlap of top 5 {overlap:0.000}; by its probe, queries not seen: same top 5 {RerankEvaluation.GuessAgreement(tables, guesses[stop]):0.000}");
            }

            foreach ((double loss, double cost, double same5, double same1) in RerankEvaluation.ProgressiveCurve(tables, [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1]))
            {
                Console.WriteLine($"  loss {loss:0.000}: cost {cost:0.000}, same top 5 {same5:0.000}, same top 1 {same1:0.000}, each query judged by the other four fifths");
            }

            foreach (double budget in (double[])[0, 0.05, 0.1, 0.2, 0.4, 0.7])
            {
                Console.WriteLine($"  deadline at {budget:0.00} of full: overlap of top 5 {string.Join("  ", tables[0].Stops.SelectMany((exit, early) => new[] { 0.2f, 0.4f, 0.7f }.Select(share => $"{exit}/{share}: {tables.Select((table, i) => RerankCalibrationFit.Overlap(table, table.SimulateDeadline(budget * table.FullCost, exit, share, early < guesses.Length ? guesses[early][i] : table.Logits[early]), 5)).Average():0.000}")))}");
            }
        }

        return 0;
    }
}
