namespace SkMmBert;

/// <summary>An opened model folder: its manifest, tokenizer and layers.</summary>
/// <remarks>
/// <para>The first opening writes the model's graphs into a cache folder (seconds); later ones map them.</para>
/// <para>Thread-safe: many threads may run texts through one model at once.</para>
/// <para>Owns the layers and unmaps the weights when disposed; generators and rerankers built on it do not dispose it. A call that is under way
/// when it is disposed ends as if it were not; later ones throw <see cref="ObjectDisposedException"/>.</para>
/// </remarks>
/// <example><code>
/// using MmBertModel model = MmBertModel.Open("models/mini-embed");
/// Console.WriteLine(model.Manifest.HiddenSize);   // 256
/// </code></example>
public sealed class MmBertModel : IDisposable
{
    private readonly LayerRunner _layers;
    private readonly float[] _finalNorm;
    private readonly PublishedNorms? _published;

    private MmBertModel(ModelManifest manifest, EncoderConfig config, TextTokenizer tokenizer, ModelOptions options, ModelDevice device, LayerRunner layers, float[] finalNorm, PublishedNorms? published)
    {
        (Manifest, Config, Tokenizer, Options, Device, _layers, _finalNorm, _published) = (manifest, config, tokenizer, options, device, layers, finalNorm, published);
    }

    /// <summary>What the model is and can do.</summary>
    public ModelManifest Manifest { get; }

    /// <summary>The model's tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    /// <summary>What the layers run on: where <see cref="ModelOptions.Device"/> left the choice, what was chosen.</summary>
    public ModelDevice Device { get; }

    internal EncoderConfig Config { get; }

    internal ModelOptions Options { get; }

    /// <summary>Opens a model folder as it was downloaded.</summary>
    /// <param name="folder">A Hugging Face folder: <c>config.json</c>, <c>tokenizer.json</c> and <c>model.safetensors</c> (whole or in shards); or one with published ONNX graphs (<c>onnx/layer-N/model.onnx</c>), which run as they are.
    /// A relative path is looked for in the working directory, then beside the program, where the package <c>SkMmBert.Mini</c> puts <c>models/mini-embed</c> and <c>models/mini-rerank</c>.</param>
    /// <param name="options">How it is run; <see langword="null"/> for the defaults.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of the folder is missing, broken or of a kind that cannot be run exactly; the message names it.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file; the message names it.</exception>
    /// <exception cref="IOException">The cache folder cannot take the graphs.</exception>
    /// <exception cref="NotSupportedException">The device that was asked for is not there; the message says why.</exception>
    public static MmBertModel Open(string folder, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new ModelOptions();
        options.Validate();
        folder = Locate(folder);
        ModelCache cache = new(options.CacheFolder ?? ModelCache.DefaultRoot());
        bool weights = File.Exists(Path.Combine(folder, "model.safetensors")) || File.Exists(Path.Combine(folder, "model.safetensors.index.json"));
        return options.UsePublishedOnnx || (!weights && PublishedFolder.IsIn(folder)) ? OpenPublished(folder, options, cache) : OpenWeights(folder, options, cache);
    }

    /// <summary>The batches in which texts of the given token counts are best run.</summary>
    internal List<int[]> Plan(IReadOnlyList<int> lengths, int maxBatchTokens) => BatchPlanner.Plan(lengths, maxBatchTokens, _layers.Packs);

    /// <summary>Runs a batch from the token ids to an exit.</summary>
    internal LayerState Run(TokenBatch batch, int exit, CancellationToken cancellationToken) => _layers.Run(batch, exit, cancellationToken);

    /// <summary>Carries hidden states on to a later exit; the given state stays valid.</summary>
    internal LayerState Continue(LayerState state, int exit, CancellationToken cancellationToken) => _layers.Continue(state, exit, cancellationToken);

    /// <summary>Keeps some rows of a state, so that only those go on.</summary>
    internal LayerState Select(LayerState state, ReadOnlySpan<int> rows) => _layers.Select(state, rows);

    /// <summary>Pools each row of a state, [rows, hidden]: mean or first token by the manifest, after <c>final_norm</c> when asked; not normalised to length 1.</summary>
    /// <remarks>Published graphs take the norm only where the convention of the manifest asks for it and they have not applied it themselves.</remarks>
    internal void Pool(LayerState state, bool finalNorm, Span<float> pooled) => Pool(state, finalNorm, Manifest.Pooling, pooled);

    /// <summary>Pools each row of a state in the way given.</summary>
    internal void Pool(LayerState state, bool finalNorm, ModelPooling pooling, Span<float> pooled)
    {
        bool apply = finalNorm && (_published is null || _published.IsApplied(state.Exit));
        StatePooling.Pool(state.Hidden, state.Lengths, pooling, apply ? _finalNorm : [], Config.NormEps, pooled);
    }

    /// <inheritdoc/>
    public void Dispose() => _layers.Dispose();

    // A program is seldom started in the folder it lies in.
    private static string Locate(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), beside = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder, AppContext.BaseDirectory));
        return Directory.Exists(full) ? full : Directory.Exists(beside) ? beside
            : throw new DirectoryNotFoundException($"There is no model folder '{full}'{(beside == full ? "" : $", nor '{beside}' beside the program")}. Give the path of a downloaded model, or add the package SkMmBert.Mini and open models/mini-embed.");
    }

    private static MmBertModel OpenWeights(string folder, ModelOptions options, ModelCache cache)
    {
        if (options.ExitNorm == ExitNorm.AsGraph)
        {
            throw new InvalidDataException($"'{folder}' runs graphs written from its weights. Expected: ExitNorm.FinalNorm or ExitNorm.Raw for it; ExitNorm.AsGraph is for published ONNX graphs.");
        }

        EncoderConfig config = EncoderConfig.Read(folder);
        SafetensorsFolder weights = SafetensorsFolder.Open(folder, config);
        try
        {
            string tokenizerFile = Path.Combine(folder, "tokenizer.json");
            if (!File.Exists(tokenizerFile))
            {
                throw new FileNotFoundException($"'{tokenizerFile}' was not found. Expected: the tokenizer of the model beside its config.json; download it too.", tokenizerFile);
            }

            ModelDevice device = default;
            TextTokenizer tokenizer = null!;
            SideBySide.Run(() => device = ExecutionDevice.Resolve(options.Device), () => tokenizer = TextTokenizer.Open(tokenizerFile, options.NeutraliseSpecialTokens));
            Dictionary<string, string> hashes = cache.Hashes(folder, [Path.Combine(folder, "config.json"), tokenizerFile, .. weights.Files.Select(file => file.Path)]);
            ExitNorm norm = options.ExitNorm ?? (config.Contract is { NormAtEarlyExits: false } ? ExitNorm.Raw : ExitNorm.FinalNorm);
            ModelManifest manifest = ManifestOf(folder, config, norm, ModelCache.ContentHash(hashes), options.Precision.ToString());
            int[] stops = [.. manifest.Exits.Append(config.Layers).Distinct().Order()];
            GraphFolder graphs = cache.Graphs(manifest, hashes, config, options.Precision, EncoderSession.Form(device, options.StandardAttention), stops, weights, options.Progress);
            float[] finalNorm = [];
            if (config.Architecture == EncoderConfig.ModernBert)
            {
                finalNorm = new float[config.HiddenSize];
                weights.ToFloat32("final_norm.weight", finalNorm);
            }

            EncoderSession layers = new(graphs, config, new TokenEmbedding(config, weights), stops, options.Threads, device, weights);
            return new MmBertModel(manifest, config, tokenizer, options, device, layers, finalNorm, published: null);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static MmBertModel OpenPublished(string folder, ModelOptions options, ModelCache cache)
    {
        if (options.Precision != ModelPrecision.Fp32)
        {
            throw new InvalidDataException($"'{folder}' runs published ONNX graphs in the precision they were exported in. Expected: no ModelOptions.Precision; a folder with model.safetensors runs in {options.Precision}.");
        }

        ModelDevice device = ExecutionDevice.Resolve(options.Device);
        PublishedFolder published = PublishedFolder.Read(folder);
        EncoderConfig config = published.Config;
        TextTokenizer tokenizer = TextTokenizer.Open(published.Tokenizer, options.NeutraliseSpecialTokens);
        ExitNorm norm = options.ExitNorm ?? config.Contract switch
        {
            { NormAtEarlyExits: true } => ExitNorm.FinalNorm,
            { NormAtEarlyExits: false } => ExitNorm.Raw,
            null => ExitNorm.AsGraph,
        };
        PublishedLayers layers = new(folder, published.Graphs.ToDictionary(graph => graph.Key, graph => graph.Value.Path), config.Layers, config.HiddenSize, tokenizer.PadTokenId ?? config.PadId, options.Threads, device);
        try
        {
            PublishedNorms norms = PublishedNorms.Of(folder, published, norm, exit =>
            {
                using LayerState state = layers.Run(TokenBatch.Of(tokenizer.Encode("a b").Ids), exit, default);
                return state.Hidden.ToArray();
            });
            ModelManifest manifest = ManifestOf(folder, config, norm, ModelCache.ContentHash(cache.Hashes(folder, published.Files())), "Onnx") with
            {
                IsPublishedOnnx = true,
                NormedExits = norms.Normed,
            };
            return new MmBertModel(manifest, config, tokenizer, options, device, layers, norms.FinalNorm, norms);
        }
        catch
        {
            layers.Dispose();
            throw;
        }
    }

    private static ModelManifest ManifestOf(string folder, EncoderConfig config, ExitNorm norm, string content, string arithmetic)
    {
        (IReadOnlyList<int> exits, IReadOnlyList<int> dimensions) = KnownSizes.Of(config);
        string fingerprint = $"{content[..16]}-{norm}-{arithmetic}".ToLowerInvariant();
        return new ModelManifest(Path.GetFileName(folder), folder, config.Architecture, config.Layers, config.HiddenSize, config.ContextLength, exits, dimensions, config.Pooling, norm, config.IsReranker, fingerprint)
        {
            Tiers = KnownSizes.Tiers(config.HiddenSize, dimensions),
            Prompts = config.Prompts,
        };
    }
}
