namespace SkMmBert.Benchmarks.Reranking;

/// <summary>nDCG@10 and MRR of the first stage alone, of every head, and of the last exit's blend with the first stage, as a Markdown table; and what a calibration on half of the queries does to the rest.</summary>
internal static class RerankQuality
{
    private static readonly float[] Weights = [0.1f, 0.2f, 0.3f, 0.5f];

    public static int Run(string[] args)
    {
        List<(string Set, int Dimension, RerankTable Table)> rows = RerankTables.Read(args[0]);
        int[] heads = [.. Enumerable.Range(0, rows[0].Table.Stops.Count).Where(rows[0].Table.HasHead)];
        string[] columns = ["set", "d", "first stage", .. heads.Select(stop => $"exit {rows[0].Table.Stops[stop]}"), .. Weights.Select(weight => $"blend {weight:0.0}"), "queries"];
        Console.WriteLine($"| {string.Join(" | ", columns)} |\n|---|{string.Concat(Enumerable.Repeat("--:|", columns.Length - 1))}");
        List<string> halves = [];
        foreach (IGrouping<(string Set, int Dimension), RerankTable> group in rows.GroupBy(row => (row.Set, row.Dimension), row => row.Table))
        {
            List<RerankTable> tables = [.. group];
            string[] cells = [.. ((IEnumerable<Func<RerankTable, IReadOnlyList<int>>>)
                [First, .. heads.Select(stop => (Func<RerankTable, IReadOnlyList<int>>)(table => table.Best(stop, table.Count))), .. Weights.Select(weight => (Func<RerankTable, IReadOnlyList<int>>)(table => table.Blended(heads[^1], weight)))])
                .Select(order => RerankEvaluation.Quality(tables, order)).Select(quality => $"{quality.Ndcg:0.000} / {quality.Mrr:0.000}")];
            Console.WriteLine($"| {group.Key.Set} | {group.Key.Dimension} | {string.Join(" | ", cells)} | {tables.Count} |");
            halves.Add(Half(group.Key.Set, group.Key.Dimension, tables));
        }

        halves.ForEach(Console.WriteLine);
        return 0;
    }

    // Chosen on every second query, measured on the others.
    private static string Half(string set, int dimension, List<RerankTable> tables)
    {
        List<RerankTable> rest = [.. tables.Where((_, i) => i % 2 == 1)];
        (float? blend, (double, double, double)? ndcg) = RerankCalibrationFit.FitBlend([.. tables.Where((_, i) => i % 2 == 0)]);
        string recommendation = new RerankCalibration("", "") { Blend = blend, Ndcg = ndcg }.Recommendation;
        double after = RerankEvaluation.Quality(rest, table => blend is > 0 ? table.Blended(table.Stops.Count - 1, blend.Value) : First(table)).Ndcg;
        return $"{set}, dimension {dimension}, calibrated on half: {recommendation} The other half: first stage {RerankEvaluation.Quality(rest, First).Ndcg:0.000}, calibrated {after:0.000}.";
    }

    private static int[] First(RerankTable table) => [.. Enumerable.Range(0, table.Count)];
}
