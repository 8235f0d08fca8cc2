using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws quality over exit, vector length and precision against what they cost.</summary>
internal static class QualityFigure
{
    private const int CostTokens = 32;

    private static readonly (string Title, string Metric, Func<PlotRow, bool> Belongs)[] Tasks =
    [
        ("Graded similarity", "spearman", _ => true),
        ("Translations", "accuracy", _ => true),
        ("Retrieval by vectors", "ndcg@10", row => int.TryParse(row.Way, out _)),
        ("Tools by vectors", "ndcg@10", row => row.Way == "dense full"),
    ];

    public static Figure? TryOf(IReadOnlyList<PlotRow> rows)
    {
        PlotRow[] all = [.. rows.Where(row => row.Set.Length > 0 && !row.Set.StartsWith("mean", StringComparison.Ordinal) && row.Exit > 0)];
        Dictionary<(string, string, int), double> cost = Cost(rows);
        bool timed = all.Length > 0 && all.All(row => cost.ContainsKey((row.Model, row.Precision, row.Exit)));
        List<Panel> panels = [];
        List<string> counts = [];
        foreach ((string title, string metric, Func<PlotRow, bool> belongs) in Tasks)
        {
            PlotRow[] task = [.. all.Where(row => row.Has(metric) && belongs(row))];
            if (task.Select(row => row.Exit).Distinct().Count() > 1)
            {
                (Line[] lines, int sets, double count) = Lines(task, metric, row => timed ? cost[(row.Model, row.Precision, row.Exit)] : row.Exit);
                Axis x = timed ? new Axis($"milliseconds of processor time for a text of {CostTokens} tokens") { Include = 0 } : new Axis("layers run") { At = [.. task.Select(row => (double)row.Exit).Distinct().Order()] };
                panels.Add(new LinePanel(title, x, new(metric switch { "spearman" => "Spearman's rank correlation", "ndcg@10" => "nDCG@10", _ => metric }), lines));
                counts.Add(string.Create(CultureInfo.InvariantCulture, $"{title.ToLowerInvariant()} {sets} {(sets == 1 ? "set" : "sets")}, {count:N0} {(metric is "spearman" or "accuracy" ? "pairs" : "questions")}"));
            }
        }

        return panels.Count == 0 ? null : new Figure("Quality against cost: exits, vector lengths, precision",
            $"{string.Join(" and ", all.Select(row => row.Model).Distinct())}; each line runs from the earliest exit to the last. Mean over sets: {string.Join("; ", counts)}.", panels);
    }

    // Only sets that every combination has, so that points are means over the same thing.
    private static (Line[] Lines, int Sets, double Count) Lines(PlotRow[] rows, string metric, Func<PlotRow, double> cost)
    {
        var combinations = rows.GroupBy(row => (row.Model, row.Precision, Dims: Dims(row), row.Exit)).ToList();
        HashSet<string> sets = [.. combinations.Select(group => group.Select(row => row.Set)).Aggregate((a, b) => a.Intersect(b))];
        int[] lengths = [.. combinations.Select(group => group.Key.Dims).Distinct().OrderDescending()];
        int models = combinations.Select(group => group.Key.Model).Distinct().Count();
        Line[] lines = [.. combinations.GroupBy(group => (group.Key.Model, group.Key.Precision, group.Key.Dims)).OrderByDescending(line => line.Key.Dims).ThenBy(line => line.Key.Precision, StringComparer.Ordinal).Select(line =>
            new Line($"{line.Key.Dims} dimensions, {line.Key.Precision}{(models > 1 ? $", {line.Key.Model}" : "")}", Array.IndexOf(lengths, line.Key.Dims) % SvgStyle.Grey,
                [.. line.OrderBy(group => group.Key.Exit).Select(group => (cost(group.First()), group.Where(row => sets.Contains(row.Set)).Average(row => row.Number(metric)!.Value)))]) { Dashed = line.Key.Precision == "int8" })];
        return (lines, sets.Count, combinations[0].Where(row => sets.Contains(row.Set)).DistinctBy(row => row.Set).Sum(row => row.Count));
    }

    // A tier's way is its length; the vectors were wider.
    private static int Dims(PlotRow row) => int.TryParse(row.Way, CultureInfo.InvariantCulture, out int tier) ? tier : row.Dims;

    private static Dictionary<(string, string, int), double> Cost(IReadOnlyList<PlotRow> rows) => rows.Where(row => row.Text("case") == BenchRow.OneText && row.Number("tokens") == CostTokens)
        .GroupBy(row => (row.Model, row.Precision, row.Exit)).ToDictionary(group => group.Key, group => group.Min(row => row.Number("milliseconds")!.Value));
}
