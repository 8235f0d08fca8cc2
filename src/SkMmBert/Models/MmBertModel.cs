namespace SkMmBert;

/// <summary>An opened model folder: its manifest, tokenizer and layers.</summary>
/// <remarks>
/// <para>The first opening writes the model's graphs into a cache folder (seconds); later ones map them.</para>
/// <para>Thread-safe: many threads may run texts through one model at once.</para>
/// <para>Owns the layers and unmaps the weights when disposed; generators and rerankers built on it do not dispose it. Do not dispose it while a call is under way.</para>
/// </remarks>
/// <example><code>
/// using MmBertModel model = MmBertModel.Open("models/mini-embed");
/// Console.WriteLine(model.Manifest.HiddenSize);   // 256
/// </code></example>
public sealed class MmBertModel : IDisposable
{
    private readonly SafetensorsFolder _weights;
    private readonly EncoderSession _layers;
    private readonly float[] _finalNorm;

    private MmBertModel(ModelManifest manifest, EncoderConfig config, TextTokenizer tokenizer, ModelOptions options, SafetensorsFolder weights, EncoderSession layers, float[] finalNorm)
    {
        (Manifest, Config, Tokenizer, Options, _weights, _layers, _finalNorm) = (manifest, config, tokenizer, options, weights, layers, finalNorm);
    }

    /// <summary>What the model is and can do.</summary>
    public ModelManifest Manifest { get; }

    /// <summary>The model's tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    internal EncoderConfig Config { get; }

    internal ModelOptions Options { get; }

    /// <summary>Opens a model folder as it was downloaded.</summary>
    /// <param name="folder">A Hugging Face folder: <c>config.json</c>, <c>tokenizer.json</c> and <c>model.safetensors</c> (whole or in shards).</param>
    /// <param name="options">How it is run; <see langword="null"/> for the defaults.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of the folder is missing, broken or of a kind that cannot be run exactly; the message names it.</exception>
    /// <exception cref="IOException">The cache folder cannot take the graphs.</exception>
    public static MmBertModel Open(string folder, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new ModelOptions();
        options.Validate();
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no model folder '{folder}'. Give the path of a downloaded model, such as models/mini-embed.");
        }

        EncoderConfig config = EncoderConfig.Read(folder);
        SafetensorsFolder weights = SafetensorsFolder.Open(folder, config);
        try
        {
            TextTokenizer tokenizer = TextTokenizer.Open(Path.Combine(folder, "tokenizer.json"), options.NeutraliseSpecialTokens);
            ModelCache cache = new(options.CacheFolder ?? ModelCache.DefaultRoot());
            string content = cache.ContentHash([Path.Combine(folder, "config.json"), Path.Combine(folder, "tokenizer.json"), .. weights.Files.Select(file => file.Path)]);
            ModelManifest manifest = ManifestOf(folder, config, options, content);
            int[] stops = [.. manifest.Exits.Append(config.Layers).Distinct().Order()];
            GraphFolder graphs = cache.Graphs(content, config, options.Precision, stops, weights, options.Progress);
            float[] finalNorm = [];
            if (config.Architecture == EncoderConfig.ModernBert)
            {
                finalNorm = new float[config.HiddenSize];
                weights.ToFloat32("final_norm.weight", finalNorm);
            }

            EncoderSession layers = new(graphs, config, new TokenEmbedding(config, weights), stops, options.Threads);
            return new MmBertModel(manifest, config, tokenizer, options, weights, layers, finalNorm);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Runs a batch from the token ids to an exit.</summary>
    internal LayerState Run(TokenBatch batch, int exit, CancellationToken cancellationToken) => _layers.Run(batch, exit, cancellationToken);

    /// <summary>Carries hidden states on to a later exit; the given state stays valid.</summary>
    internal LayerState Continue(LayerState state, int exit, CancellationToken cancellationToken) => _layers.Continue(state, exit, cancellationToken);

    /// <summary>Keeps some rows of a state, so that only those go on.</summary>
    internal LayerState Select(LayerState state, ReadOnlySpan<int> rows) => _layers.Select(state, rows);

    /// <summary>Pools each row of a state, [rows, hidden]: mean or first token by the manifest, after <c>final_norm</c> when asked; not normalised to length 1.</summary>
    internal void Pool(LayerState state, bool finalNorm, Span<float> pooled)
        => StatePooling.Pool(state.Hidden, state.Lengths, Manifest.Pooling, finalNorm ? _finalNorm : [], Config.NormEps, pooled);

    /// <inheritdoc/>
    public void Dispose()
    {
        _layers.Dispose();
        _weights.Dispose();
    }

    private static ModelManifest ManifestOf(string folder, EncoderConfig config, ModelOptions options, string content)
    {
        (IReadOnlyList<int> exits, IReadOnlyList<int> dimensions) = KnownSizes.Of(config);
        ExitNorm norm = options.ExitNorm ?? (config.Contract is { NormAtEarlyExits: false } ? ExitNorm.Raw : ExitNorm.FinalNorm);
        string fingerprint = $"{content[..16]}-{norm}-{options.Precision}".ToLowerInvariant();
        return new ModelManifest(Path.GetFileName(folder), folder, config.Architecture, config.Layers, config.HiddenSize, config.ContextLength, exits, dimensions, config.Pooling, norm, config.IsReranker, fingerprint)
        {
            Tiers = KnownSizes.Tiers(config.HiddenSize, dimensions),
        };
    }
}
