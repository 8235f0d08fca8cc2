using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>A generator with fixed dimensions, a fixed exit, or both, over another one.</summary>
internal sealed class MatryoshkaView : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int WindowTexts = 4096;
    private readonly IEmbeddingGenerator<string, Embedding<float>> _inner;
    private readonly VectorMemo _memo;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly int? _fullWidth;

    public MatryoshkaView(IEmbeddingGenerator<string, Embedding<float>> inner, VectorMemo memo, int? dimensions, int? exit)
    {
        EmbeddingGeneratorMetadata? metadata = inner.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;
        if (inner.GetService(typeof(ModelManifest)) is ModelManifest manifest)
        {
            EmbeddingOptions options = inner.GetService(typeof(EmbeddingOptions)) as EmbeddingOptions ?? new();
            _ = dimensions is null ? 0 : options.CheckDimensions(dimensions.Value, manifest);
            _ = exit is null ? 0 : options.CheckExit(exit.Value, manifest);
            _fullWidth = manifest.HiddenSize;
        }

        int? known = _fullWidth ?? metadata?.DefaultModelDimensions;
        if (dimensions < 1 || dimensions > known)
        {
            throw new ArgumentOutOfRangeException(nameof(dimensions), $"A view of {dimensions} dimensions was asked for. Expected: at least 1{(known is null ? "" : $" and at most {known}, the generator's own")}.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(exit ?? 1, 1, nameof(exit));
        (_inner, _memo, Dimensions, Exit) = (inner, memo, dimensions, exit);
        _metadata = new(metadata?.ProviderName, metadata?.ProviderUri, metadata?.DefaultModelId, dimensions ?? metadata?.DefaultModelDimensions);
    }

    public int? Dimensions { get; }

    public int? Exit { get; }

    public MatryoshkaView With(int? dimensions, int? exit) => new(_inner, _memo, dimensions, exit);

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        EmbeddingGenerationOptions? asked = Ask(options);
        if (Dimensions is not { } dimensions)
        {
            return await _inner.GenerateAsync(values, asked, cancellationToken).ConfigureAwait(false);
        }

        GeneratedEmbeddings<Embedding<float>> results = [];
        UsageDetails usage = new() { InputTokenCount = 0, TotalTokenCount = 0 };
        int truncated = 0;
        foreach (string[] window in values.Chunk(WindowTexts))
        {
            foreach (Embedding<float> full in await _memo.GenerateAsync(_inner, window, asked, usage, results.Count, cancellationToken).ConfigureAwait(false))
            {
                if (full.Vector.Length < dimensions)
                {
                    throw new InvalidOperationException($"The generator gave a vector of {full.Vector.Length} dimensions. Expected: at least {dimensions}, since the view keeps the first {dimensions}.");
                }

                float[] vector = full.Vector.Span[..dimensions].ToArray();
                Matryoshka.Normalise(vector);
                truncated += full.IsTruncated() ? 1 : 0;
                results.Add(new(vector) { ModelId = full.ModelId, CreatedAt = full.CreatedAt, AdditionalProperties = full.AdditionalProperties?.Clone() });
            }
        }

        results.Usage = usage;
        results.AdditionalProperties = new() { [MatryoshkaExtensions.TruncatedKey] = truncated };
        return results;
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null
            ? serviceType == typeof(string) && MatryoshkaExtensions.FingerprintKey.Equals(serviceKey)
                ? $"{_inner.GetFingerprint()}/view={Dimensions}.{Exit}"
                : _inner.GetService(serviceType, serviceKey)
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(VectorMemo) ? _memo
            : serviceType.IsInstanceOfType(this) ? this
            : _inner.GetService(serviceType);
    }

    public void Dispose()
    {
        // The inner generator belongs to who made it, and other views may use it.
    }

    private EmbeddingGenerationOptions? Ask(EmbeddingGenerationOptions? options)
    {
        if (Dimensions is not null && options?.Dimensions is { } other && other != Dimensions)
        {
            throw new ArgumentException($"The request asks for {other} dimensions, but this view has {Dimensions}. Leave Dimensions unset, or make another view.", nameof(options));
        }

        if (Exit is not null && options?.GetExit() is { } otherExit && otherExit != Exit)
        {
            throw new ArgumentException($"The request asks for exit {otherExit}, but this view has {Exit}. Leave the exit unset, or make another view.", nameof(options));
        }

        EmbeddingGenerationOptions? asked = Exit is { } exit ? (options ?? new()).WithExit(exit) : options;
        if (Dimensions is not null && asked?.Dimensions != _fullWidth)
        {
            asked = asked?.Clone() ?? new();
            asked.Dimensions = _fullWidth;
        }

        return asked;
    }
}
