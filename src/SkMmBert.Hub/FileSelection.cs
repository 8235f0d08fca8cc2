using System.Text.Json;
using System.Text.RegularExpressions;

namespace SkMmBert;

/// <summary>Which files of a repository a model needs. Everything is chosen by name, so nothing can lie outside the folder.</summary>
internal static partial class FileSelection
{
    private const string Index = "model.safetensors.index.json";

    private static readonly string[] Names =
    [
        "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "modules.json",
        "sentence_bert_config.json", "config_sentence_transformers.json", "matryoshka_config.json", "conformance.json", "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE",
    ];

    /// <summary>Chooses the files of one weight format.</summary>
    public static IReadOnlyList<RemoteFile> Choose(ModelListing listing, WeightFormat weights)
    {
        Dictionary<string, RemoteFile> files = new(StringComparer.Ordinal);
        foreach (RemoteFile file in listing.Files) files[file.Path] = file;
        List<RemoteFile> chosen = [.. listing.Files.Where(f => Names.Contains(f.Path) || ModuleConfig().IsMatch(f.Path))];
        void Require(string name)
        {
            if (!files.ContainsKey(name))
                throw new InvalidDataException($"'{listing.Repository}' at {listing.Commit[..8]} has no {name}. Expected a folder of a text encoder; check the name and the revision.");
        }

        Require("config.json");
        Require("tokenizer.json");
        if (files.TryGetValue("classification_heads.safetensors", out RemoteFile? heads) || files.TryGetValue("classification_heads.pt", out heads))
            chosen.Add(heads);
        chosen.AddRange(weights == WeightFormat.Onnx ? OnnxFiles(listing) : SafetensorsFiles(listing, files));
        return chosen;
    }

    /// <summary>What a downloaded folder lacks to be opened; <see langword="null"/> when it is complete.</summary>
    public static string? Missing(string folder)
    {
        bool Has(string name) => HubCache.Has(folder, name);
        if (!Has("config.json")) return "config.json";
        if (!Has("tokenizer.json")) return "tokenizer.json";
        if (Has("matryoshka_config.json") && !Has("classification_heads.safetensors") && !Has("classification_heads.pt")) return "classification_heads.safetensors";
        if (Has("model.safetensors")) return null;
        if (Has(Index)) return Shards(Path.Combine(folder, Index)).FirstOrDefault(shard => !Has(shard));
        string onnx = Path.Combine(folder, "onnx");
        return Directory.Exists(onnx) && Directory.EnumerateFiles(onnx, "*.onnx", SearchOption.AllDirectories).Any() ? null : "model.safetensors";
    }

    private static IEnumerable<RemoteFile> SafetensorsFiles(ModelListing listing, Dictionary<string, RemoteFile> files)
    {
        if (files.TryGetValue("model.safetensors", out RemoteFile? single)) return [single];
        if (files.TryGetValue(Index, out RemoteFile? index)) return [index, .. listing.Files.Where(f => Shard().IsMatch(f.Path))];
        string found = string.Join(", ", listing.Files.Select(f => f.Path).Where(p => Weights().IsMatch(p)).Take(5));
        throw new InvalidDataException(
            $"'{listing.Repository}' has no safetensors weights (found: {(found.Length == 0 ? "none" : found)}). Expected model.safetensors or {Index}; "
            + (found.Contains(".onnx", StringComparison.Ordinal) ? "pull it with ONNX weights." : "convert the weights to safetensors first."));
    }

    // One graph a folder: the publisher's other variants of it (half precision, custom operators) are second formats.
    private static IReadOnlyList<RemoteFile> OnnxFiles(ModelListing listing)
    {
        RemoteFile[] chosen = [.. listing.Files.Where(f => OnnxFile().IsMatch(f.Path))];
        return chosen.Any(f => f.Path.EndsWith(".onnx", StringComparison.Ordinal))
            ? chosen
            : throw new InvalidDataException($"'{listing.Repository}' publishes no ONNX files. Expected onnx/layer-N/model.onnx; pull its safetensors weights instead.");
    }

    private static List<string> Shards(string indexFile)
    {
        try
        {
            using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(indexFile));
            return [.. index.RootElement.GetProperty("weight_map").EnumerateObject().Select(e => e.Value.GetString() ?? "").Distinct(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{indexFile}' cannot be read: {e.Message}. Expected a weight_map of tensor names to files; delete the folder and pull again.", e);
        }
    }

    [GeneratedRegex(@"^[0-9]+_[A-Za-z]+/config\.json\z")]
    private static partial Regex ModuleConfig();

    [GeneratedRegex(@"^model-[0-9]+-of-[0-9]+\.safetensors\z")]
    private static partial Regex Shard();

    [GeneratedRegex(@"^onnx/(layer-[0-9]+/)?(dim-[0-9]+/)?(model\.onnx([._]data)?|model_config\.json|config\.json|tokenizer\.json|tokenizer_config\.json)\z")]
    private static partial Regex OnnxFile();

    [GeneratedRegex(@"\.(bin|h5|msgpack|onnx|pt|gguf)\z")]
    private static partial Regex Weights();
}
