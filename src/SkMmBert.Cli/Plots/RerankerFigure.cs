using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws how much of a reranker's work can be saved and how often the first texts stay the same.</summary>
internal static class RerankerFigure
{
    public static Figure? TryOf(IReadOnlyList<PlotRow> rows)
    {
        PlotRow[] curve = [.. rows.Where(row => row.Has("loss") && row.Has("cost") && row.Has("same_top_5")).OrderBy(row => row.Number("cost"))];
        PlotRow[] exits = [.. rows.Where(row => row.Exit > 0 && row.Has("same_top_5") && row.Has("overlap_5")).OrderBy(row => row.Exit)];
        PlotRow[] probes = [.. rows.Where(row => row.Exit > 0 && row.Has("probe_same_top_5")).OrderBy(row => row.Exit)];
        if (curve.Length == 0)
        {
            return null;
        }

        List<Panel> panels =
        [
            new LinePanel("Carrying on only who matters", new("share of the layers' work") { Percent = true }, new("questions with the same best texts as full effort") { Percent = true },
            [
                new Line("same five", SvgStyle.Green, Points(curve, "same_top_5")), new Line("same first", SvgStyle.Blue, Points(curve, "same_top_1")),
            ]) { Level = 0.98 },
        ];
        if (exits.Length > 0)
        {
            Axis layers = new("layers run") { At = [.. exits.Concat(probes).Select(row => (double)row.Exit).Distinct().Order()] };
            List<Line> lines =
            [
                new Line("same five", SvgStyle.Green, Points(exits, "same_top_5", "exit")), new Line("same first", SvgStyle.Blue, Points(exits, "same_top_1", "exit")), new Line("share of five", SvgStyle.Purple, Points(exits, "overlap_5", "exit")),
            ];
            if (probes.Length > 0)
            {
                lines.Add(new Line("same five, by a probe", SvgStyle.Green, Points(probes, "probe_same_top_5", "exit")) { Dashed = true });
            }

            panels.Add(new LinePanel("Trusting an early layer alone", layers, new("agreement with the last exit") { Percent = true, Include = 0 }, lines));
        }

        PlotRow? summary = rows.FirstOrDefault(row => row.Has("ndcg_first"));
        if (summary is not null)
        {
            panels.Add(new BarPanel("Order of the candidates", "nDCG@10 where answers are known",
            [
                ("first stage", SvgStyle.Grey, summary.Number("ndcg_first")!.Value), ("reranked", SvgStyle.Purple, summary.Number("ndcg_rerank")!.Value),
                (string.Create(CultureInfo.InvariantCulture, $"blend {summary.Number("blend"):0.00}"), SvgStyle.Green, summary.Number("ndcg_blend")!.Value),
            ]));
        }

        string queries = rows.FirstOrDefault(row => row.Has("queries"))?.Number("queries")?.ToString("N0", CultureInfo.InvariantCulture) ?? "some";
        return new Figure("Reranking with less work", $"{queries} questions with their candidates; measured on questions that the rule was not fitted on. The dotted line is 98 %.", panels);
    }

    private static (double, double)[] Points(PlotRow[] rows, string value, string place = "cost") => [.. rows.Select(row => (row.Number(place)!.Value, row.Number(value)!.Value))];
}
