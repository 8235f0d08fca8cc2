namespace SkMmBert.Benchmarks.Reranking;

/// <summary>nDCG@10 and MRR of the first stage alone, of every head, and of the blend a calibration would choose.</summary>
internal static class RerankQuality
{
    public static int Run(string[] args)
    {
        foreach (IGrouping<string, (string Set, int Dimension, RerankTable Table)> set in RerankTables.Read(args[0]).GroupBy(row => row.Set))
        {
            foreach (IGrouping<int, RerankTable> dimension in set.GroupBy(row => row.Dimension, row => row.Table))
            {
                List<RerankTable> tables = [.. dimension];
                (double ndcg, double mrr) = RerankEvaluation.Quality(tables, table => [.. Enumerable.Range(0, table.Count)]);
                Console.WriteLine($"{set.Key} ({tables.Count} queries, dimension {dimension.Key}): first stage nDCG@10 {ndcg:0.000} MRR {mrr:0.000}");
                foreach (int exit in Enumerable.Range(0, tables[0].Stops.Count).Where(tables[0].HasHead))
                {
                    (ndcg, mrr) = RerankEvaluation.Quality(tables, table => table.Best(exit, table.Count));
                    Console.Write($"  exit {tables[0].Stops[exit]} alone {ndcg:0.000} {mrr:0.000}; blend");
                    foreach (float weight in (float[])[0.1f, 0.2f, 0.3f, 0.5f, 0.7f])
                    {
                        (ndcg, mrr) = RerankEvaluation.Quality(tables, table => table.Blended(exit, weight));
                        Console.Write($" {weight:0.0}: {ndcg:0.000} {mrr:0.000}");
                    }

                    Console.WriteLine();
                }

                // Chosen on every second query, measured on the others.
                RerankCalibration fitted = RerankCalibrationFit.Fit(new RerankCalibration("", ""), [.. tables.Where((_, i) => i % 2 == 0)], 0.02, 5);
                List<RerankTable> rest = [.. tables.Where((_, i) => i % 2 == 1)];
                if (rest.Count > 0)
                {
                    Console.WriteLine($"  calibrated on half: {fitted.Recommendation} On the other half: first stage {RerankEvaluation.Quality(rest, table => [.. Enumerable.Range(0, table.Count)]).Ndcg:0.000}, blended {RerankEvaluation.Quality(rest, table => fitted.Blend == 0 ? [.. Enumerable.Range(0, table.Count)] : table.Blended(table.Stops.Count - 1, fitted.Blend!.Value)).Ndcg:0.000}");
                }
            }
        }

        return 0;
    }
}
