using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws a benchmark: how many times as fast as the plain export, and how long a text takes, by its length.</summary>
internal static class SpeedFigure
{
    /// <summary>The picture of measured cases.</summary>
    public static Figure Of(IReadOnlyList<BenchRow> rows) => Of([.. rows.Select(row => new PlotRow(JsonOutput.Element(row.Write)))]);

    /// <summary>The picture of the lines of a saved benchmark; null if there are none.</summary>
    public static Figure? TryOf(IReadOnlyList<PlotRow> rows) => rows.Any(row => row.Text("case") == BenchRow.OneText) ? Of(rows) : null;

    private static Figure Of(IReadOnlyList<PlotRow> rows)
    {
        string[] models = [.. rows.Where(row => row.Text("case").Length > 0).Select(row => row.Model).Distinct()];
        List<Panel> panels = [];
        foreach (string model in models)
        {
            PlotRow[] one = [.. rows.Where(row => row.Model == model && row.Text("case") == BenchRow.OneText)];
            if (one.Length == 0)
            {
                continue;
            }

            string of = models.Length > 1 ? $", {model}" : "";
            int last = one.Max(row => row.Exit);
            PlotRow[] whole = [.. one.Where(row => row.Exit == last)];
            Axis tokens = new("tokens of a text") { Logarithmic = true, At = [.. one.Select(row => row.Number("tokens")!.Value).Distinct().Order()] };
            Line[] ratios = [.. whole.Where(row => row.Has("ratio_to_naive")).GroupBy(row => row.Precision).Select(group => Precision(group.Key, group, row => row.Number("ratio_to_naive")!.Value))];
            if (ratios.Length > 0)
            {
                panels.Add(new LinePanel("Times as fast as the plain export" + of, tokens, new("ratio of processor time, whole model") { Include = 0 }, ratios) { Level = 1 });
            }

            List<Line> times = [.. whole.GroupBy(row => row.Precision).Select(group => Precision(group.Key, group, row => row.Number("milliseconds")!.Value))];
            if (whole.Any(row => row.Has("naive_milliseconds")))
            {
                times.Insert(0, new Line("plain export", SvgStyle.Grey, Points(whole.Where(row => row.Has("naive_milliseconds")).DistinctBy(row => row.Number("tokens")), row => row.Number("naive_milliseconds")!.Value)));
            }

            panels.Add(new LinePanel("Time of a text" + of, tokens, new("milliseconds of processor time") { Logarithmic = true }, times));
            IGrouping<double, PlotRow>? early = one.GroupBy(row => row.Number("tokens")!.Value).OrderByDescending(group => group.Select(row => row.Exit).Distinct().Count()).ThenByDescending(group => group.Key <= 512 ? group.Key : 0).First();
            if (early.Select(row => row.Exit).Distinct().Count() > 1)
            {
                int[] exits = [.. early.Select(row => row.Exit).Distinct().Order()];
                panels.Add(new LinePanel($"Exits at {early.Key:0} tokens{of}", new("layers run") { At = [.. exits.Select(exit => (double)exit)], Include = 0 }, new("milliseconds of processor time") { Include = 0 },
                    [.. early.GroupBy(row => row.Precision).Select(group => new Line(group.Key, Colour(group.Key), [.. group.OrderBy(row => row.Exit).Select(row => ((double)row.Exit, row.Number("milliseconds")!.Value))]))]));
            }

            if (Texts(rows, model) is { Length: > 0 } bars)
            {
                panels.Add(new BarPanel("Many short texts" + of, "times as fast as the plain export in padded batches", bars));
            }
        }

        double[] loads = [.. rows.Select(row => row.Number("load")).OfType<double>()];
        string load = loads.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" Load average {loads.Min():0.0} to {loads.Max():0.0}.");
        return new Figure("Speed", $"{string.Join(" and ", models)}: processor time, in turn with the plain export of the same weights on the same runtime, least of several rounds.{load}", panels);
    }

    private static (string, int, double)[] Texts(IReadOnlyList<PlotRow> rows, string model)
    {
        PlotRow[] texts = [.. rows.Where(row => row.Model == model && row.Text("case") == BenchRow.ShortTexts && row.Has("ratio_to_naive"))];
        return texts.Length == 0 ? [] : [("plain export", SvgStyle.Grey, 1.0), .. texts.Select(row => (row.Precision, Colour(row.Precision), row.Number("ratio_to_naive")!.Value))];
    }

    private static Line Precision(string name, IEnumerable<PlotRow> rows, Func<PlotRow, double> value) => new(name, Colour(name), Points(rows, value));

    private static (double, double)[] Points(IEnumerable<PlotRow> rows, Func<PlotRow, double> value) => [.. rows.OrderBy(row => row.Number("tokens")).Select(row => (row.Number("tokens")!.Value, value(row)))];

    private static int Colour(string precision) => precision == "int8" ? SvgStyle.Orange : SvgStyle.Blue;
}
