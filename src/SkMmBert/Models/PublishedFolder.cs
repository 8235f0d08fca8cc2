using System.Globalization;
using System.Text.Json;

namespace SkMmBert;

/// <summary>A model folder with published ONNX graphs: <c>onnx/layer-N/model.onnx</c>, the files beside them, and what they say.</summary>
/// <param name="Graphs">The graph of each exit whose file is there.</param>
/// <param name="Config">The encoder; its sizes only where there is no <c>config.json</c>.</param>
/// <param name="Tokenizer">The tokenizer file.</param>
/// <param name="ConfigFiles">The configuration files that were read.</param>
internal sealed record PublishedFolder(IReadOnlyDictionary<int, OnnxFile> Graphs, EncoderConfig Config, string Tokenizer, IReadOnlyList<string> ConfigFiles)
{
    /// <summary>Architecture of a folder that does not say what its graphs compute.</summary>
    public const string Unknown = "onnx";

    // Single precision first. Others (model_fa…) need operators of one vendor's runtime.
    private static readonly string[] GraphNames = ["model.onnx", "model_sdpa_fp16.onnx", "model_fp16.onnx"];

    /// <summary>Whether a folder has published graphs by layer.</summary>
    public static bool IsIn(string folder) => LayerFolders(Root(folder)).Any();

    public static PublishedFolder Read(string folder)
    {
        string onnx = Root(folder);
        Dictionary<int, OnnxFile> graphs = [];
        foreach ((int layer, string path) in LayerFolders(onnx))
        {
            if (GraphNames.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists) is string graph)
            {
                graphs[layer] = OnnxFile.Read(graph);
                graphs[layer].CheckData();
            }
        }

        if (graphs.Count == 0)
        {
            throw new FileNotFoundException($"'{onnx}' has no layer-N/model.onnx. Expected: at least one, with its model.onnx.data beside it; download the folder again.");
        }

        string[] places = [folder, onnx];
        string? listing = Find(places, "model_config.json"), config = Find(places, "config.json");
        string tokenizer = Find(places, "tokenizer.json")
            ?? throw new FileNotFoundException($"'{folder}' has no tokenizer.json, nor has its folder onnx. Expected: the tokenizer of the model; download it too.");
        EncoderConfig encoder = ReadConfig(folder, config, listing, LayerFolders(onnx).First().Path, graphs.Keys);
        foreach (int layer in graphs.Keys.Where(layer => layer > encoder.Layers))
        {
            throw new InvalidDataException($"'{onnx}' has a layer-{layer}. Expected: layers of a model of {encoder.Layers}, as its configuration says; do not mix files of several models.");
        }

        int[] exits = [.. graphs.Keys.Order()];
        return new PublishedFolder(graphs, encoder with { Exits = exits }, tokenizer, [.. new[] { config, listing }.OfType<string>()]);
    }

    /// <summary>Every file vectors depend on.</summary>
    public IEnumerable<string> Files() => [Tokenizer, .. ConfigFiles, .. Graphs.OrderBy(graph => graph.Key).SelectMany(graph => FilesOf(graph.Value))];

    private static IEnumerable<string> FilesOf(OnnxFile graph)
        => graph.Weights.Values.Select(weight => weight.Location).OfType<string>().Distinct().Order(StringComparer.Ordinal).Select(name => Path.Combine(Path.GetDirectoryName(graph.Path)!, name)).Prepend(graph.Path);

    // The folder onnx may be given itself.
    private static string Root(string folder) => Path.Combine(folder, "onnx") is string inner && Directory.Exists(inner) ? inner : folder;

    private static IEnumerable<(int Layer, string Path)> LayerFolders(string onnx)
        => from path in Directory.EnumerateDirectories(onnx, "layer-*")
           where int.TryParse(Path.GetFileName(path).AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int _)
           let layer = int.Parse(Path.GetFileName(path).AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture)
           orderby layer
           select (layer, path);

    private static string? Find(string[] places, string name) => places.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);

    private static EncoderConfig ReadConfig(string folder, string? config, string? listing, string layerFolder, IEnumerable<int> exits)
    {
        EncoderConfig? encoder = config is null ? null : EncoderConfig.ReadFile(config);
        if (encoder is not null && Path.GetDirectoryName(config) != folder)
        {
            // Pooling, limits and prompts lie in the folder itself.
            encoder = EncoderConfigPackage.Read(folder, EncoderConfigFields.ReadFile(config!), encoder);
        }

        string? stub = listing ?? Find([layerFolder], "config.json");
        if (stub is null)
        {
            return encoder ?? throw new FileNotFoundException(
                $"'{folder}' has neither config.json nor onnx/model_config.json. Expected: one of them, since the files of layers {string.Join(", ", exits.Order())} do not say how many layers the model has; download it too.");
        }

        EncoderConfigFields said = EncoderConfigFields.ReadFile(stub);
        encoder ??= Sizes(folder, said);
        Same(said, "total_layers", encoder.Layers);
        Same(said, "hidden_size", encoder.HiddenSize);
        int[] dimensions = said.Has("available_dimensions") ? said.Ints("available_dimensions", 1, encoder.HiddenSize) : [];
        if (said.Has("available_layers"))
        {
            said.Ints("available_layers", 1, encoder.Layers);   // what is listed and not downloaded is told when it is asked for
        }

        return encoder.Dimensions.Count > 0 ? encoder : encoder with { Dimensions = [.. dimensions.OrderDescending()] };
    }

    // What can be said without config.json: enough to run the graphs as they are.
    private static EncoderConfig Sizes(string folder, EncoderConfigFields said)
    {
        int layers = said.Int("total_layers", 1, 1_024), width = said.Int("hidden_size", 1, 1 << 16);
        int length = said.Has("max_position_embeddings") ? said.Int("max_position_embeddings", 1, 1 << 24) : LimitOf(Path.Combine(folder, "tokenizer_config.json"));
        return EncoderConfigPackage.Read(folder, said, new EncoderConfig
        {
            Architecture = Unknown,
            VocabSize = int.MaxValue,
            HiddenSize = width,
            IntermediateSize = 0,
            Layers = layers,
            Heads = 1,
            MaxPositions = length,
            NormEps = 0,
            GlobalLayers = [],
            Pooling = ModelPooling.Mean,
            ContextLength = length,
        });
    }

    // 512 is what every encoder has; a longer text would be cut there, and the manifest says so.
    private static int LimitOf(string tokenizerConfig)
        => File.Exists(tokenizerConfig) && EncoderConfigFields.ReadJson(tokenizerConfig) is { ValueKind: JsonValueKind.Object } root
            && root.TryGetProperty("model_max_length", out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int limit) && limit is > 0 and <= 1 << 24 ? limit : 512;

    private static void Same(EncoderConfigFields fields, string name, int expected)
    {
        if (fields.Has(name) && fields.Int(name, 1, 1 << 24) != expected)
        {
            throw fields.Wrong(name, $"{expected}, as in config.json");
        }
    }
}
