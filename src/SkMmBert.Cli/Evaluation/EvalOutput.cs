using System.Globalization;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary>One line of a quality table.</summary>
/// <param name="Set">The set.</param>
/// <param name="Way">The strategy, search or direction; null where there is one only.</param>
/// <param name="Exit">The layer; null where it was the last.</param>
/// <param name="Dims">The vector length; null where it was the full one.</param>
/// <param name="Metrics">Names and values; <c>count</c> is how many questions or pairs.</param>
internal sealed record EvalRow(string Set, string? Way, int? Exit, int? Dims, params (string Name, double Value)[] Metrics)
{
    /// <summary>The mean over sets: counts add up, the rest is averaged with each set counting alike.</summary>
    public static IEnumerable<EvalRow> Means(IEnumerable<EvalRow> rows, string name = "mean") => rows
        .GroupBy(row => (row.Way, row.Exit, row.Dims)).Where(group => group.Count() > 1)
        .Select(group => new EvalRow(name, group.Key.Way, group.Key.Exit, group.Key.Dims, [.. group.First().Metrics.Select((metric, i) =>
            (metric.Name, metric.Name == "count" ? group.Sum(row => row.Metrics[i].Value) : group.Average(row => row.Metrics[i].Value)))]));
}

/// <summary>Where the rows of an evaluation go: JSON as they come, tables for people at the end.</summary>
internal sealed class EvalOutput(OutputFile output, bool json, string model, string precision, Terminal terminal)
{
    private readonly JsonOutput _json = new(output.Stream);
    private readonly List<EvalRow> _rows = [];

    public void Add(EvalRow row)
    {
        _rows.Add(row);
        if (json)
        {
            _json.Line(null, writer =>
            {
                writer.WriteString("set", row.Set);
                if (row.Way is not null)
                {
                    writer.WriteString("way", row.Way);
                }

                writer.WriteString("model", model);
                writer.WriteString("precision", precision);
                writer.WriteNumber("exit", row.Exit ?? 0);
                writer.WriteNumber("dims", row.Dims ?? 0);
                foreach ((string name, double value) in row.Metrics)
                {
                    writer.WriteNumber(name, Math.Round(double.IsFinite(value) ? value : 0, 5));
                }
            });
        }
    }

    public void Complete(double seconds)
    {
        output.Complete();
        foreach (IGrouping<string, EvalRow> kind in json ? [] : _rows.GroupBy(row => string.Join(' ', row.Metrics.Select(metric => metric.Name))))
        {
            Table table = new Table().AddColumns("set", "way", "exit", "dims").RoundedBorder();
            foreach ((string name, _) in kind.First().Metrics)
            {
                table.AddColumn(new TableColumn(name).RightAligned());
            }

            foreach (EvalRow row in kind)
            {
                table.AddRow([new Text(row.Set), new Text(row.Way ?? ""), new Text($"{row.Exit}"), new Text($"{row.Dims}"), .. row.Metrics.Select(metric => new Text(Value(metric.Name, metric.Value)))]);
            }

            terminal.People.Write(table);
        }

        if (!json)
        {
            terminal.People.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}, {precision}, {_rows.Select(row => row.Set).Distinct().Count(set => !set.StartsWith("mean", StringComparison.Ordinal))} sets in {seconds:0} s."));
        }
    }

    private static string Value(string name, double value) => value.ToString(name == "count" ? "N0" : name is "milliseconds" or "seconds" or "mean_length" ? "0.0" : "0.000", CultureInfo.InvariantCulture);
}
