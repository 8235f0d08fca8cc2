namespace SkMmBert.Tests;

/// <summary>The layers of a model as one graph instead of a chain of stretches between its exits.</summary>
internal static class OnePiece
{
    public static EncoderSession Open(MmBertModel model, ModelOptions options)
    {
        string folder = model.Manifest.Folder;
        EncoderConfig config = EncoderConfig.Read(folder);
        SafetensorsFolder weights = SafetensorsFolder.Open(folder, config);
        ModelCache cache = new(options.CacheFolder!);
        int[] stops = [config.Layers];
        Dictionary<string, string> hashes = cache.Hashes(folder, [Path.Combine(folder, "config.json"), Path.Combine(folder, "tokenizer.json"), .. weights.Files.Select(file => file.Path)]);
        GraphFolder graphs = cache.Graphs(model.Manifest, hashes, config, options.Precision, EncoderSession.Form(model.Device, options.StandardAttention), stops, weights, progress: null);
        return new EncoderSession(graphs, config, new TokenEmbedding(config, weights), stops, options.Threads, model.Device, weights);
    }
}
