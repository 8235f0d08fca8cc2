namespace SkMmBert;

/// <summary>The tensors of an encoder: their names, their shapes, and the prefixes checkpoints are saved with.</summary>
internal static class SafetensorsFolderNames
{
    private static readonly string[] Prefixes = ["", "model.", "_orig_mod.", "_orig_mod.model.", "bert."];

    /// <summary>Every tensor the encoder needs with its shape, in the order of the forward pass.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Expected(EncoderConfig config) => config.Architecture == EncoderConfig.Bert ? BertTensors(config) : ModernBertTensors(config);

    /// <summary>The name BERT's norms had in its first TensorFlow checkpoints.</summary>
    public static string OlderName(string name) => name.EndsWith("LayerNorm.weight", StringComparison.Ordinal) ? name[..^"weight".Length] + "gamma"
        : name.EndsWith("LayerNorm.bias", StringComparison.Ordinal) ? name[..^"bias".Length] + "beta"
        : name;

    public static string FindPrefix(SafetensorsFolder weights, EncoderConfig config, IReadOnlyCollection<string> stored)
    {
        string first = Expected(config).First().Name;
        string[] found = [.. Prefixes.Where(prefix => stored.Contains(prefix + first))];
        return found.Length == 1 ? found[0] : throw new InvalidDataException(found.Length == 0
            ? $"'{weights.Folder}' has no tensor \"{first}\" (nor with the prefixes model., _orig_mod., _orig_mod.model., bert.). Expected: the weights of a {config.Architecture} encoder; configuration and weights do not belong together."
            : $"'{weights.Folder}' has tensor \"{first}\" under several prefixes ({string.Join(", ", found.Select(prefix => $"\"{prefix}\""))}). Expected: one encoder in a folder.");
    }

    /// <summary>Complains of a tensor inside the encoder that nothing would use, such as a bias or a layer that the configuration does not announce.</summary>
    public static void RefuseUnused<T>(string folder, EncoderConfig config, string prefix, IEnumerable<string> stored, IReadOnlyDictionary<string, T> bound)
    {
        string layers = prefix + (config.Architecture == EncoderConfig.Bert ? "encoder." : "layers."), embeddings = prefix + "embeddings.";
        HashSet<string> used = [.. bound.Keys.Select(name => prefix + name), .. bound.Keys.Select(name => prefix + OlderName(name))];
        string? extra = stored.FirstOrDefault(name => !used.Contains(name) && !name.EndsWith("position_ids", StringComparison.Ordinal) && !name.EndsWith("inv_freq", StringComparison.Ordinal) &&
            (name.StartsWith(layers, StringComparison.Ordinal) || name.StartsWith(embeddings, StringComparison.Ordinal) || name.StartsWith(prefix + "final_norm.", StringComparison.Ordinal)));
        if (extra is not null)
        {
            throw new InvalidDataException($"'{folder}' has tensor \"{extra}\", which its config.json does not announce. Expected: no layers and biases but those of the configuration; they do not belong together, download both again.");
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> ModernBertTensors(EncoderConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        yield return ("embeddings.tok_embeddings.weight", [config.VocabSize, hidden]);
        yield return ("embeddings.norm.weight", [hidden]);
        for (int i = 0; i < config.Layers; i++)
        {
            // The first layer has no norm before its attention: the embeddings have just been normed.
            if (i > 0)
            {
                yield return ($"layers.{i}.attn_norm.weight", [hidden]);
            }

            yield return ($"layers.{i}.attn.Wqkv.weight", [3 * hidden, hidden]);
            yield return ($"layers.{i}.attn.Wo.weight", [hidden, hidden]);
            yield return ($"layers.{i}.mlp_norm.weight", [hidden]);
            yield return ($"layers.{i}.mlp.Wi.weight", [2 * inner, hidden]);
            yield return ($"layers.{i}.mlp.Wo.weight", [hidden, inner]);
        }

        yield return ("final_norm.weight", [hidden]);
    }

    private static IEnumerable<(string Name, long[] Shape)> BertTensors(EncoderConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        yield return ("embeddings.word_embeddings.weight", [config.VocabSize, hidden]);
        yield return ("embeddings.position_embeddings.weight", [config.MaxPositions, hidden]);
        yield return ("embeddings.token_type_embeddings.weight", [config.TokenTypes, hidden]);
        yield return ("embeddings.LayerNorm.weight", [hidden]);
        yield return ("embeddings.LayerNorm.bias", [hidden]);
        for (int i = 0; i < config.Layers; i++)
        {
            string layer = $"encoder.layer.{i}.";
            foreach ((string name, long rows, long columns) in ((string, long, long)[])
                [("attention.self.query", hidden, hidden), ("attention.self.key", hidden, hidden), ("attention.self.value", hidden, hidden), ("attention.output.dense", hidden, hidden)])
            {
                yield return (layer + name + ".weight", [rows, columns]);
                yield return (layer + name + ".bias", [rows]);
            }

            yield return (layer + "attention.output.LayerNorm.weight", [hidden]);
            yield return (layer + "attention.output.LayerNorm.bias", [hidden]);
            yield return (layer + "intermediate.dense.weight", [inner, hidden]);
            yield return (layer + "intermediate.dense.bias", [inner]);
            yield return (layer + "output.dense.weight", [hidden, inner]);
            yield return (layer + "output.dense.bias", [hidden]);
            yield return (layer + "output.LayerNorm.weight", [hidden]);
            yield return (layer + "output.LayerNorm.bias", [hidden]);
        }
    }
}
