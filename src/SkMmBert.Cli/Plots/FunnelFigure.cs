using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws what each stage of a memory's funnel would lose at each width.</summary>
internal static class FunnelFigure
{
    private static readonly string[] Stages = ["signs", "route", "retrieve"];

    public static Figure? TryOf(IReadOnlyList<PlotRow> rows)
    {
        PlotRow[] all = [.. rows.Where(row => row.Has("width") && row.Has("exact_kept"))];
        if (all.Length == 0)
        {
            return null;
        }

        List<Panel> panels = [];
        foreach (IGrouping<string, PlotRow> set in all.GroupBy(row => row.Set))
        {
            panels.Add(new LinePanel(set.Key, new("items a stage passes on") { Logarithmic = true }, new("share of the exact first ten among them") { Percent = true },
                [.. set.GroupBy(row => row.Way).OrderBy(stage => Array.IndexOf(Stages, stage.Key)).Select(stage => new Line($"{Name(stage)}", Math.Max(0, Array.IndexOf(Stages, stage.Key)),
                    [.. stage.OrderBy(row => row.Number("width")).Select(row => (row.Number("width")!.Value, row.Number("exact_kept")!.Value))]))]) { Level = 0.99 });
        }

        string[] times = [.. rows.Where(row => row.Has("exact_milliseconds") && row.Has("items")).Select(row => string.Create(CultureInfo.InvariantCulture,
            $"{row.Set}: {row.Number("items"):N0} items, {row.Count:N0} questions, funnel keeps {row.Number("exact_kept"):0.0 %} in {row.Number("milliseconds"):0.00} ms, exact scan {row.Number("exact_milliseconds"):0.00} ms"))];
        return new Figure("Memory funnel", $"{all[0].Model}, {all[0].Precision}. The dotted line is 99 %. {string.Join("; ", times)}.", panels);

        static string Name(IGrouping<string, PlotRow> stage) => stage.Key == Stages[0] ? "sign bits" : $"{stage.Key} tier";
    }
}
