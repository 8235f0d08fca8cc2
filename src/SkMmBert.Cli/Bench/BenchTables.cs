using System.Globalization;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary>A benchmark's cases as tables for people, one for each model and kind.</summary>
internal static class BenchTables
{
    public static void Show(IReadOnlyList<BenchRow> rows, IAnsiConsole people)
    {
        foreach (IGrouping<(string Model, string Kind), BenchRow> group in rows.GroupBy(row => (row.Model, row.Kind)))
        {
            bool streams = group.Key.Kind == BenchRow.ParallelStreams, one = group.Key.Kind == BenchRow.OneText;
            Table table = new Table { Title = new TableTitle(Title(group.Key.Model, group.First())) }.RoundedBorder();
            string[] names = [one || streams ? "tokens" : "texts", "precision", "exit", .. streams ? ["streams"] : Array.Empty<string>(), "ms", "texts/s", .. streams ? [] : new[] { "plain ms", "ratio" }, .. one ? ["peak MB"] : Array.Empty<string>(), "load"];
            foreach (string name in names)
            {
                table.AddColumn(new TableColumn(name).RightAligned());
            }

            foreach (BenchRow row in group)
            {
                string[] cells =
                [
                    Number(one || streams ? row.Tokens : row.Texts, "N0"), row.Precision, $"{row.Exit}", .. streams ? [$"{row.Streams}"] : Array.Empty<string>(), Number(row.Milliseconds, "N1"), Number(row.TextsPerSecond, "N1"),
                    .. streams ? [] : new[] { Number(row.NaiveMilliseconds, "N1"), Number(row.RatioToNaive, "0.00") }, .. one ? [Number(row.PeakMegabytes, "N0")] : Array.Empty<string>(), Number(row.Load, "0.0"),
                ];
                table.AddRow([.. cells.Select(cell => new Text(cell))]);
            }

            people.Write(table);
        }

        people.WriteLine("ms: least processor time of a round (streams: time on the clock). plain: the whole model as one exported graph on the same runtime. ratio: how many times as fast.");
    }

    private static string Title(string model, BenchRow row) => row.Kind switch
    {
        BenchRow.OneText => $"{model}: one text at a time",
        BenchRow.ShortTexts => $"{model}: texts of 8 to 60 tokens, planned batches; plain: padded batches of 32",
        _ => $"{model}: texts of {row.Tokens:0} tokens, runs side by side",
    };

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
