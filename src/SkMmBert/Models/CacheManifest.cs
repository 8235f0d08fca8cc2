using System.Text.Json;

namespace SkMmBert;

/// <summary><c>skmmbert.json</c> of a cache folder: what the graphs in it were written from, and the size of each file, so that a cut one is noticed.</summary>
internal static class CacheManifest
{
    public const string FileName = "skmmbert.json";

    /// <summary>Describes the files of a finished folder; written last.</summary>
    public static void Write(string folder, ModelManifest model, ModelPrecision precision, IReadOnlyDictionary<string, string> hashes)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("version", typeof(CacheManifest).Assembly.GetName().Version?.ToString(3));
            json.WriteString("model", model.Id);
            json.WriteString("architecture", model.Architecture);
            json.WriteNumber("layers", model.Layers);
            json.WriteNumber("hidden_size", model.HiddenSize);
            json.WriteNumber("context_length", model.ContextLength);
            Numbers(json, "exits", model.Exits);
            Numbers(json, "dimensions", model.Dimensions);
            Numbers(json, "tiers", model.Tiers);
            json.WriteString("pooling", model.Pooling == ModelPooling.Cls ? "cls" : "mean");
            json.WriteString("exit_norm", model.ExitNorm == ExitNorm.Raw ? "raw" : "final");
            json.WriteString("precision", precision == ModelPrecision.Int8 ? "int8" : "fp32");
            json.WriteBoolean("score_heads", model.HasScoreHeads);
            json.WriteStartObject("prompts");
            foreach ((string name, string prompt) in model.Prompts)
            {
                json.WriteString(name, prompt);
            }

            json.WriteEndObject();
            json.WriteStartObject("sha256");
            foreach ((string file, string hash) in hashes)
            {
                json.WriteString(file, hash);
            }

            json.WriteEndObject();
            json.WriteStartObject("sizes");
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
            {
                json.WriteNumber(file.Name, file.Length);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        AtomicFile.Write(Path.Combine(folder, FileName), to => to.Write(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }

    /// <summary>Whether a folder is there and every file of it has the size it was written with.</summary>
    public static bool IsWhole(string folder)
    {
        try
        {
            using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, FileName)));
            foreach (JsonProperty file in manifest.RootElement.GetProperty("sizes").EnumerateObject())
            {
                FileInfo info = new(Path.Combine(folder, file.Name));
                if (!info.Exists || info.Length != file.Value.GetInt64())
                {
                    return false;
                }
            }

            return true;
        }
        catch (Exception error) when (error is IOException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }

    private static void Numbers(Utf8JsonWriter json, string name, IReadOnlyList<int> values)
    {
        json.WriteStartArray(name);
        foreach (int value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
