using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>One measured line of <c>bench</c> or <c>eval</c>.</summary>
internal sealed class PlotRow(JsonElement line)
{
    public string Set => Text("set");

    public string Way => Text("way");

    public string Model => Text("model");

    public string Precision => Text("precision");

    public int Exit => (int)(Number("exit") ?? 0);

    public int Dims => (int)(Number("dims") ?? 0);

    public double Count => Number("count") ?? 0;

    public bool Has(string name) => Number(name) is not null;

    public double? Number(string name) => line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    public string Text(string name) => line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>All lines of some files.</summary>
    public static List<PlotRow> Read(IEnumerable<string> files, Terminal terminal)
    {
        List<PlotRow> rows = [];
        foreach (string file in files)
        {
            using TextLines lines = InputFile.Open(file, terminal);
            while (lines.Next() is { } line)
            {
                if (string.IsNullOrWhiteSpace(line))
                {
                    continue;
                }

                try
                {
                    JsonElement element = JsonElement.Parse(line);
                    rows.Add(element.ValueKind == JsonValueKind.Object ? new PlotRow(element) : throw new JsonException());
                }
                catch (JsonException)
                {
                    throw new InputException($"line {lines.Number} of '{file}' is not a JSON object. Expected: what 'skmmbert bench --json' or 'skmmbert eval … --json' printed.");
                }
            }
        }

        return rows;
    }
}
