using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Turns texts into vectors with an opened model, as Microsoft.Extensions.AI expects of any embedding generator.</summary>
/// <remarks>
/// <para>A call costs one run through the layers up to the exit, on worker threads. Texts are read lazily and once, in windows
/// sorted by length, so that memory stays bounded for any number of them; the vectors come back in the order of the texts.</para>
/// <para>A request chooses <see cref="EmbeddingGenerationOptions.Dimensions"/> and, with
/// <see cref="MatryoshkaExtensions.WithExit(EmbeddingGenerationOptions, int)"/>, the layer. What is impossible or not trained is refused, never approximated.
/// Options are not changed. A text longer than the model takes is cut or handled as <see cref="EmbeddingOptions.LongTexts"/> says;
/// <see cref="MatryoshkaExtensions.GetTokenCount"/> and <see cref="MatryoshkaExtensions.IsTruncated"/> tell of each vector.</para>
/// <para>Thread-safe. Does not dispose the model: dispose the model after the last call has ended.</para>
/// </remarks>
/// <example><code>
/// using MmBertModel model = MmBertModel.Open("models/mini-embed");
/// MmBertEmbeddingGenerator embedder = new(model);
/// var vectors = await embedder.GenerateAsync(["Ada prefers trains.", "Ada reist gern mit der Bahn."]);
/// // vectors.Count → 2; vectors[0].Dimensions → 256; vectors.Usage.InputTokenCount → 16
/// </code></example>
public sealed class MmBertEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly MmBertModel? _model;
    private readonly VectorSource _source;
    private readonly EmbeddingOptions _options;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly VectorMemo _memo = new();
    private readonly VectorRuns _runs;
    private readonly int _maxTokens;

    /// <summary>Makes a generator over an opened model.</summary>
    /// <param name="model">The model; stays the caller's.</param>
    /// <param name="options">How texts become vectors; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option does not fit the model.</exception>
    public MmBertEmbeddingGenerator(MmBertModel model, EmbeddingOptions? options = null)
        : this(VectorSource.Of(model), options) => _model = model;

    internal MmBertEmbeddingGenerator(VectorSource source, EmbeddingOptions? options)
    {
        _source = source;
        _options = options ?? new();
        _options.Validate(source.Manifest, source.Tokenizer.SpecialTokens);
        _maxTokens = _options.MaxTokens ?? source.Manifest.ContextLength;
        _metadata = new("skmmbert", null, source.Manifest.Id, _options.Dimensions ?? source.Manifest.HiddenSize);
        _runs = new(source, _options.Recipe, _options.Streams ?? Math.Max(1, Environment.ProcessorCount / Math.Max(1, source.Threads ?? 1)));
    }

    /// <summary>Changes whenever the default vectors of this generator may change: model, arithmetic and options.</summary>
    /// <value>For <c>DistributedCachingEmbeddingGenerator.CacheKeyAdditionalValues</c>, which otherwise does not know which model made a vector.</value>
    public string Fingerprint =>
        $"{_source.Manifest.Fingerprint}/exit={_options.Exit ?? EmbeddingOptions.DefaultExit(_source.Manifest)}/dims={_options.Dimensions ?? _source.Manifest.HiddenSize}/max={_maxTokens}/{_options.LongTexts}/{_options.Recipe}";

    /// <summary>Turns each text into a vector of length 1.</summary>
    /// <param name="values">The texts, read once and lazily on a worker thread. An empty text is valid; an empty list gives an empty result.</param>
    /// <param name="options">Dimensions, exit and model id of this request; <see langword="null"/> for the generator's own.</param>
    /// <param name="cancellationToken">Stops between and inside runs.</param>
    /// <returns>One embedding per text, in order, with token counts.</returns>
    /// <exception cref="ArgumentException">A text is <see langword="null"/> or too long, or the options name another model.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The model does not have the dimensions or the exit.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ModelManifest manifest = _source.Manifest;
        if (options?.ModelId is { } id && id != manifest.Id)
        {
            throw new ArgumentException($"The request asks for the model '{id}', but this generator runs '{manifest.Id}'. Leave ModelId unset, or make a generator for that model.", nameof(options));
        }

        int dimensions = _options.CheckDimensions(options?.Dimensions ?? _options.Dimensions ?? manifest.HiddenSize, manifest);
        int exit = _options.CheckExit(options?.GetExit() ?? _options.Exit ?? EmbeddingOptions.DefaultExit(manifest), manifest);
        return await Task.Run(() => EmbedAsync(values, dimensions, exit, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<GeneratedEmbeddings<Embedding<float>>> EmbedAsync(IEnumerable<string> values, int dimensions, int exit, CancellationToken cancellationToken)
    {
        GeneratedEmbeddings<Embedding<float>> results = new(values.TryGetNonEnumeratedCount(out int count) ? count : 0);
        List<SlicedText> window = [];
        long tokens = 0;
        int windowTokens = 0, truncated = 0, index = 0;
        foreach (string? text in values)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SlicedText sliced = text is null
                ? throw new ArgumentException($"The text at index {index} is null. Expected: a string; an empty one is valid.", nameof(values))
                : SlicedText.Of(_source.Tokenizer, text, index, _maxTokens, _options.LongTexts);
            window.Add(sliced);
            index++;
            windowTokens += sliced.Tokens;
            tokens += sliced.Tokens;
            truncated += sliced.Truncated ? 1 : 0;
            if (windowTokens >= _runs.WindowTokens || window.Count >= VectorRuns.WindowTexts)
            {
                await FinishAsync().ConfigureAwait(false);
            }
        }

        await FinishAsync().ConfigureAwait(false);
        results.Usage = new() { InputTokenCount = tokens, TotalTokenCount = tokens };
        results.AdditionalProperties = new() { [MatryoshkaExtensions.TruncatedKey] = truncated };
        return results;

        async Task FinishAsync()
        {
            float[][] vectors = await _runs.RunAsync(window, dimensions, exit, cancellationToken).ConfigureAwait(false);
            DateTimeOffset now = _options.Clock.GetUtcNow();
            for (int i = 0; i < vectors.Length; i++)
            {
                results.Add(new(vectors[i])
                {
                    ModelId = _source.Manifest.Id,
                    CreatedAt = now,
                    AdditionalProperties = new() { [MatryoshkaExtensions.TokensKey] = window[i].Tokens, [MatryoshkaExtensions.TruncatedKey] = window[i].Truncated },
                });
            }

            window.Clear();
            windowTokens = 0;
        }
    }

    /// <summary>Offers the metadata, this generator, its options, and the model with its tokenizer and manifest.</summary>
    /// <param name="serviceType">The type asked for.</param>
    /// <param name="serviceKey">A key; nothing public is kept under one.</param>
    /// <returns>The object, or <see langword="null"/>.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null
            ? serviceType == typeof(string) && MatryoshkaExtensions.FingerprintKey.Equals(serviceKey) ? Fingerprint : null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(MmBertModel) ? _model
            : serviceType == typeof(TextTokenizer) ? _source.Tokenizer
            : serviceType == typeof(ModelManifest) ? _source.Manifest
            : serviceType == typeof(EmbeddingOptions) ? _options
            : serviceType == typeof(VectorMemo) ? _memo
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Does nothing: the model belongs to who opened it.</summary>
    public void Dispose()
    {
    }
}
