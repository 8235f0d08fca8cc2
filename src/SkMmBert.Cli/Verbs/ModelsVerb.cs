using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>models</c>: what is installed and what is known by name.</summary>
internal static class ModelsVerb
{
    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Command command = new("models", "Lists installed and known models.") { shared.Json };
        command.SetAction((parsed, cancellationToken) =>
        {
            Entry[] entries = [.. Find(), .. FindPublished()];
            string device = Models.Device.ToString();
            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                JsonOutput json = new(output.Stream);
                Array.ForEach(entries, entry => json.Line(null, writer => Write(writer, entry, device)));
                output.Complete();
            }
            else
            {
                Show(entries, device, terminal.People);
            }

            return Task.FromResult(0);
        });
        return command;
    }

    private static void Show(Entry[] entries, string device, IAnsiConsole people)
    {
        Table table = new Table().AddColumns("name", "what", "layers", "exits", "dims", "MB", "folder").RoundedBorder();
        foreach (Entry entry in entries)
        {
            table.AddRow(new Text(entry.Name), new Text(entry.What), new Text($"{entry.Layers}"), new Text(string.Join(' ', entry.Exits)), new Text(string.Join(' ', entry.Dimensions)),
                new Text(entry.Megabytes?.ToString("0.0", CultureInfo.InvariantCulture) ?? ""), new Text(entry.Folder is null ? "pull " + entry.Name : Path.GetRelativePath(Environment.CurrentDirectory, entry.Folder) is { Length: < 60 } near && !near.StartsWith("..", StringComparison.Ordinal) ? near : entry.Folder));
        }

        people.Write(table);
        foreach (Entry entry in entries)
        {
            people.WriteLine($"{entry.Name} ({entry.What}): {entry.Use ?? "not known; try it on your data."}");
        }

        people.WriteLine($"They run on {device}.");
        people.WriteLine("Any other model: pull OWNER/NAME, or --model FOLDER with a Hugging Face folder as it was downloaded.");
    }

    private static IEnumerable<Entry> Find()
    {
        foreach ((string name, string folder, string what, string use) in ModelNames.Known)
        {
            yield return ModelNames.Installed(folder) is { } path ? Read(name, path) with { Use = use } : new(name, what, null, null, [], [], null) { Use = use };
        }

        string[] known = [.. ModelNames.Known.Select(model => model.Folder)];
        foreach (string path in ModelNames.Roots().SelectMany(Directory.GetDirectories).Where(path => File.Exists(Path.Combine(path, "config.json"))))
        {
            if (!known.Contains(Path.GetFileName(path)))
            {
                yield return Read(Path.GetFileName(path), path);
            }
        }
    }

    private static IEnumerable<Entry> FindPublished()
    {
        using ModelHub hub = new(HubOptions.FromEnvironment());
        foreach (KnownModel model in KnownModel.All)
        {
            string? folder = hub.TryFind(model.Name, out DownloadedModel? downloaded) ? downloaded.Folder : null;
            yield return new(model.Name, model.Kind == KnownModelKind.Reranker ? "reranker" : "embedder", folder, model.Layers, [.. model.Exits], [.. model.Dimensions], downloaded?.Bytes / 1e6) { Use = model.Use };
        }
    }

    // The files are read, not opened as a model: a list should not write graphs.
    private static Entry Read(string name, string folder)
    {
        double bytes = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => (double)file.Length);
        string heads = Path.Combine(folder, "matryoshka_config.json");
        bool reranker = File.Exists(heads);
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        using JsonDocument sizes = JsonDocument.Parse(File.ReadAllBytes(reranker ? heads : Path.Combine(folder, "config.json")));
        return new(name, reranker ? "reranker" : "embedder", folder,
            config.RootElement.TryGetProperty("num_hidden_layers", out JsonElement layers) ? layers.GetInt32() : null,
            Numbers(sizes, reranker ? "layer_indices" : "matryoshka_layers"), Numbers(sizes, reranker ? "dim_indices" : "matryoshka_dims"), bytes / 1e6);
    }

    private static int[] Numbers(JsonDocument file, string field) =>
        file.RootElement.TryGetProperty(field, out JsonElement list) ? [.. list.EnumerateArray().Select(number => number.GetInt32())] : [];

    private static void Write(Utf8JsonWriter writer, Entry entry, string device)
    {
        writer.WriteString("name", entry.Name);
        writer.WriteString("what", entry.What);
        writer.WriteBoolean("installed", entry.Folder is not null);
        writer.WriteString("folder", entry.Folder);
        writer.WriteString("recommended_for", entry.Use);
        writer.WriteString("device", device);
        if (entry.Layers is { } layers)
        {
            writer.WriteNumber("layers", layers);
            Numbers(writer, "exits", entry.Exits);
            Numbers(writer, "dimensions", entry.Dimensions);
        }

        if (entry.Megabytes is { } megabytes)
        {
            writer.WriteNumber("megabytes", Math.Round(megabytes, 1));
        }
    }

    private static void Numbers(Utf8JsonWriter writer, string name, int[] numbers)
    {
        writer.WriteStartArray(name);
        Array.ForEach(numbers, writer.WriteNumberValue);
        writer.WriteEndArray();
    }

    private sealed record Entry(string Name, string What, string? Folder, int? Layers, int[] Exits, int[] Dimensions, double? Megabytes)
    {
        public string? Use { get; init; }
    }
}
