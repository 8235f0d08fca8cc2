namespace SkMmBert.Benchmarks.Reranking;

/// <summary>The progressive curve and what the heads themselves allow.</summary>
internal static class RerankCurve
{
    public static int Run(string[] args)
    {
        foreach (IGrouping<string, RerankTable> set in RerankTables.Read(args[0]).GroupBy(row => row.Dimension).First().GroupBy(row => row.Set, row => row.Table).Append(All(args[0])))
        {
            List<RerankTable> tables = [.. set];
            Console.WriteLine($"{set.Key}: {tables.Count} queries, {tables.Average(table => table.Count):0} texts, {tables.Average(table => table.Tokens.Average()):0} tokens a pair");
            foreach (int exit in Enumerable.Range(0, tables[0].Exits.Count - 1))
            {
                (double top1, double top5, double overlap) = RerankEvaluation.ExitAgreement(tables, exit);
                Console.WriteLine($"  exit {tables[0].Exits[exit]} alone: same top 1 {top1:0.000}, same top 5 {top5:0.000}, overlap of top 5 {overlap:0.000}");
            }

            foreach ((double loss, double cost, double same5, double same1, IReadOnlyList<RerankStep> steps) in RerankEvaluation.ProgressiveCurve(tables, [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5]))
            {
                Console.WriteLine($"  loss {loss:0.00}: cost {cost:0.000}, same top 5 {same5:0.000}, same top 1 {same1:0.000}   {string.Join(' ', steps.Select(step => $"{step.Exit}:-{step.Margin:0.00}({string.Join(',', step.Weights.Select(w => w.ToString("0.00")))})"))}");
            }

            foreach (double budget in (double[])[0, 0.05, 0.1, 0.2, 0.4, 0.7])
            {
                Console.WriteLine($"  deadline at {budget:0.00} of full: overlap of top 5 {string.Join("  ", tables[0].Exits.SelectMany(exit => new[] { 0.2f, 0.4f, 0.7f }.Select(share => $"{exit}/{share}: {tables.Average(table => RerankCalibrationFit.Overlap(table, table.SimulateDeadline(budget * table.FullCost, exit, share), 5)):0.000}")))}");
            }
        }

        return 0;
    }

    private static IGrouping<string, RerankTable> All(string path) => RerankTables.Read(path).GroupBy(row => row.Dimension).First().GroupBy(_ => "all", row => row.Table).First();
}
