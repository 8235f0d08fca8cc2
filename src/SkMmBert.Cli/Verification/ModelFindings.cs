using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>Something that a model's publisher leaves open, and what its files say.</summary>
internal sealed record Finding(string Model, string Question, string Answer);

/// <summary>Looks in a model folder for what decides its numbers and is often left unsaid: positions, weights, tokens, published graphs, the norm at early exits.</summary>
internal static class ModelFindings
{
    // Twelve sentences and their German translations: whether a translation is nearest tells a sound exit from a broken one.
    private static readonly (string English, string German)[] Pairs =
    [
        ("Where is the nearest train station?", "Wo ist der nächste Bahnhof?"), ("The soup is too salty.", "Die Suppe ist zu salzig."),
        ("Please send me the invoice by email.", "Bitte schicken Sie mir die Rechnung per E-Mail."), ("My daughter plays the piano.", "Meine Tochter spielt Klavier."),
        ("The meeting starts at nine o'clock.", "Die Besprechung beginnt um neun Uhr."), ("It will rain tomorrow.", "Morgen wird es regnen."),
        ("How much does this book cost?", "Wie viel kostet dieses Buch?"), ("He forgot his password.", "Er hat sein Passwort vergessen."),
        ("The hospital is closed on Sunday.", "Das Krankenhaus ist am Sonntag geschlossen."), ("Turn off the light in the kitchen.", "Mach das Licht in der Küche aus."),
        ("We bought a new car.", "Wir haben ein neues Auto gekauft."), ("The children are sleeping.", "Die Kinder schlafen."),
    ];

    public static async Task<List<Finding>> ReadAsync(MmBertModel model, ModelOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        ModelManifest manifest = model.Manifest;
        List<Finding> findings = [];
        void Add(string question, string answer) => findings.Add(new(manifest.Id, question, answer));
        if (Json(manifest.Folder, "config.json") is { } config)
        {
            Add("positions", Positions(config));
        }

        Add("weights", Weights(manifest.Folder));
        if (Json(manifest.Folder, "tokenizer.json") is { } tokenizer)
        {
            Add("tokenizer", Tokens(tokenizer));
        }

        Add("a pair of texts", Pair(model.Tokenizer));
        Add("published graphs", Graphs(manifest));
        Add("norm at exits", manifest.IsPublishedOnnx || manifest.Architecture != "modernbert" ? $"{manifest.ExitNorm}: nothing else to choose"
            : manifest.HasScoreHeads ? await ScoresOfBothNormsAsync(model, options, terminal, cancellationToken) : await MeaningOfBothNormsAsync(model, options, terminal, cancellationToken));
        return findings;
    }

    private static string Positions(JsonElement config)
    {
        string Show(string key) => config.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? $"{key} {value.GetRawText()}" : "";
        string[] said = [.. new[] { "rope_theta", "global_rope_theta", "local_rope_theta", "rope_scaling", "rope_parameters", "position_embedding_type", "max_position_embeddings" }.Select(Show).Where(text => text.Length > 0)];
        bool scaled = config.GetRawText().Contains("yarn", StringComparison.OrdinalIgnoreCase);
        return string.Join(", ", said) + (scaled ? "" : "; no scaling of positions is declared, none is applied");
    }

    private static string Weights(string folder)
    {
        string[] files = [.. Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal)];
        List<string> said = [];
        foreach (string file in files)
        {
            using SafetensorsFile weights = SafetensorsFile.Open(file);
            IEnumerable<string> types = weights.Tensors.Values.GroupBy(tensor => tensor.Type).OrderByDescending(type => type.Count()).Select(type => $"{type.Count()} {type.Key}");
            said.Add($"{Path.GetFileName(file)}: {string.Join(", ", types)}");
        }

        return said.Count == 0 ? "none beside the published graphs" : string.Join("; ", said);
    }

    private static string Tokens(JsonElement tokenizer)
    {
        string Kind(string part) => tokenizer.TryGetProperty(part, out JsonElement value) && value.ValueKind == JsonValueKind.Object
            ? string.Join(' ', value.EnumerateObject().Where(field => field.Value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False).Select(field => field.Name == "type" ? field.Value.GetString() : $"{field.Name}={field.Value}")) : "none";
        int added = 0, raw = 0;
        if (tokenizer.TryGetProperty("added_tokens", out JsonElement tokens))
        {
            added = tokens.GetArrayLength();
            raw = tokens.EnumerateArray().Count(token => token.TryGetProperty("normalized", out JsonElement normalized) && normalized.ValueKind == JsonValueKind.False);
        }

        return $"pre-tokenizer {Kind("pre_tokenizer")}; normalizer {Kind("normalizer")}; {added} added tokens, {raw} met before normalising; truncation block {Kind("truncation")}; padding block {Kind("padding")}";
    }

    private static string Pair(TextTokenizer tokenizer) => tokenizer.Decode(tokenizer.EncodePair("one", "two").Ids, skipSpecialTokens: false);

    private static string Graphs(ModelManifest manifest)
    {
        if (manifest.IsPublishedOnnx)
        {
            return $"exits {string.Join(", ", manifest.Exits)}; normed by the graph itself: {(manifest.NormedExits.Count == 0 ? "none" : string.Join(", ", manifest.NormedExits))}";
        }

        return Directory.Exists(Path.Combine(manifest.Folder, "onnx")) ? "there are some beside the weights; graphs written from the weights run" : "none";
    }

    private static async Task<string> MeaningOfBothNormsAsync(MmBertModel model, ModelOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        List<string> said = [];
        foreach (ExitNorm norm in new[] { ExitNorm.FinalNorm, ExitNorm.Raw })
        {
            using MmBertModel other = Models.Open(model.Manifest.Folder, options with { ExitNorm = norm }, terminal);
            MmBertEmbeddingGenerator generator = new(other);
            List<string> exits = [];
            foreach (int exit in other.Manifest.Exits.Where(exit => exit < other.Manifest.Layers))
            {
                exits.Add($"exit {exit} {await FoundAsync(generator, exit, cancellationToken)}");
            }

            said.Add($"{norm}: {string.Join(", ", exits)}");
        }

        int last = await FoundAsync(new(model), model.Manifest.Layers, cancellationToken);
        return $"{model.Manifest.ExitNorm} is used; translations found of {2 * Pairs.Length}: last exit {last}; {string.Join("; ", said)}. 'skmmbert eval sts --exit N --exit-norm raw' measures it on a set.";
    }

    private static async Task<int> FoundAsync(MmBertEmbeddingGenerator generator, int exit, CancellationToken cancellationToken)
    {
        float[][] vectors = await SelfConsistency.EmbedAsync(generator, [.. Pairs.Select(pair => pair.English), .. Pairs.Select(pair => pair.German)], exit, null, cancellationToken);
        return Enumerable.Range(0, vectors.Length).Count(i => Enumerable.Range(0, vectors.Length).Where(j => j != i).MaxBy(j => TensorPrimitives.Dot<float>(vectors[i], vectors[j])) == (i + Pairs.Length) % vectors.Length);
    }

    private static async Task<string> ScoresOfBothNormsAsync(MmBertModel model, ModelOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        CardPair pair = CardPair.Of(model.Manifest.Folder);
        List<string> said = [];
        foreach (ExitNorm? norm in new ExitNorm?[] { null, ExitNorm.FinalNorm })
        {
            using MmBertModel other = Models.Open(model.Manifest.Folder, options with { ExitNorm = norm }, terminal);
            using MmBertReranker reranker = new(other);
            float[] scores = (await reranker.ScoreEveryHeadAsync(pair.Query, [pair.Relevant, pair.Irrelevant], null, cancellationToken))[RerankerCheck.Last(reranker)];
            said.Add(string.Create(CultureInfo.InvariantCulture, $"{(norm is null ? "as the folder says" : "final norm everywhere")} {RerankerCheck.Sigmoid(scores[0]):0.0000} / {RerankerCheck.Sigmoid(scores[1]):0.0000}"));
        }

        string card = pair.Published is (double relevant, double irrelevant) ? string.Create(CultureInfo.InvariantCulture, $"; the card says {relevant:0.0000} / {irrelevant:0.0000}") : "";
        return $"a fitting and a foreign text at the last exit: {string.Join(", ", said)}{card}";
    }

    private static JsonElement? Json(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
