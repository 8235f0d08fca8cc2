using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws the router beside what it replaces, set by set, and how it abstains.</summary>
internal static class RoutingFigure
{
    private const string Abstention = "abstention", Lists = "adaptive list";

    private static readonly (string Way, string Name, int Colour)[] Ways =
    [
        ("router", "router", SvgStyle.Green),
        ("router + rerank", "router and reranker", SvgStyle.Purple),
        ("equal mix", "words and vectors, equal parts", SvgStyle.Blue),
        ("dense full", "vectors", SvgStyle.Blue),
        ("removed MEAI strategy", "removed MEAI strategy", SvgStyle.Orange),
        ("bm25", "BM25", SvgStyle.Grey),
    ];

    public static Figure? TryOf(IReadOnlyList<PlotRow> rows)
    {
        PlotRow[] all = [.. rows.Where(row => row.Has("ndcg@10") && Ways.Any(way => way.Way == row.Way))];
        if (all.All(row => row.Way != "router"))
        {
            return null;
        }

        (string precision, int exit, int dims) = (all.Min(row => row.Precision)!, all.Max(row => row.Exit), all.Max(row => row.Dims));
        bool Shown(PlotRow row) => row.Precision == precision && row.Exit == exit && row.Dims == dims;
        IGrouping<string, PlotRow>[] sets = [.. all.Where(Shown).GroupBy(row => row.Set).OrderBy(set => !set.Key.StartsWith("mean", StringComparison.Ordinal))];
        List<Panel> panels = [.. sets.Select(set => new BarPanel(set.Key, string.Create(CultureInfo.InvariantCulture, $"nDCG@10, {set.First().Count:N0} questions"),
            [.. Ways.SelectMany(way => set.Where(row => row.Way == way.Way).Select(row => (way.Name, way.Colour, row.Number("ndcg@10")!.Value)))]))];
        panels.AddRange(Coverage([.. rows.Where(row => row.Way == Lists && Shown(row))]));
        panels.AddRange(Abstentions([.. rows.Where(row => row.Set == Abstention && Shown(row))]));
        return new Figure("Tool routing", $"{all[0].Model}, {precision}, exit {exit}, {dims} dimensions. Removed MEAI strategy: name and description as one text, cosine, a fixed number of tools.", panels);
    }

    private static IEnumerable<Panel> Coverage(PlotRow[] rows)
    {
        if (rows.Length > 0)
        {
            string length = rows.Average(row => row.Number("mean_length")!.Value).ToString("0.0", CultureInfo.InvariantCulture);
            (string Name, int Colour, string Field)[] bars =
            [
                ($"router, {length} tools on average", SvgStyle.Green, "any"), ("router, always 7 tools", SvgStyle.Blue, "any_in_7"),
                ("removed strategy, as many", SvgStyle.Orange, "any_removed"), ("BM25, as many", SvgStyle.Grey, "any_bm25"),
            ];
            yield return new BarPanel("A fitting tool is in the list", string.Create(CultureInfo.InvariantCulture, $"share of questions, mean of {rows.Length} sets"),
                [.. bars.Where(bar => rows.All(row => row.Has(bar.Field))).Select(bar => (bar.Name, bar.Colour, rows.Average(row => row.Number(bar.Field)!.Value)))]);
        }
    }

    private static IEnumerable<Panel> Abstentions(PlotRow[] rows)
    {
        if (rows.Length > 0)
        {
            Axis rate = new("questions for no tool that get one") { Percent = true }, listed = new("other questions with the right tool listed") { Percent = true };
            yield return new LinePanel("Saying that no tool fits", rate, listed, [.. rows.GroupBy(row => row.Way.Split(" fitted", 2)[0].Split(" without", 2)[0]).SelectMany((set, i) => new[]
            {
                new Line($"{set.Key}, fitted to a rate", i % SvgStyle.Grey, Points(set.Where(row => !row.Way.Contains("without", StringComparison.Ordinal)))),
                new Line($"{set.Key}, without labels", i % SvgStyle.Grey, Points(set.Where(row => row.Way.Contains("without", StringComparison.Ordinal)))) { Loose = true, Dashed = true },
            })]);
        }
    }

    private static (double, double)[] Points(IEnumerable<PlotRow> rows) => [.. rows.Select(row => (row.Number("false_tool_rate")!.Value, row.Number("right_tool_listed")!.Value)).Order()];
}
