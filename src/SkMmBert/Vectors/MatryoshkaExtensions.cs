using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Fixes or reads the two lengths of a 2D-Matryoshka model: how many dimensions a vector has and after which layer texts leave.</summary>
public static class MatryoshkaExtensions
{
    internal const string ExitKey = "mmbert.exit";
    internal const string TokensKey = "mmbert.tokens";
    internal const string TruncatedKey = "mmbert.truncated";
    internal const string FingerprintKey = "mmbert.fingerprint";

    /// <summary>A view of any generator whose vectors have a fixed number of leading dimensions and length 1.</summary>
    /// <remarks>
    /// <para>For callers that never pass dimensions on, such as a vector store with one generator per vector property. The inner
    /// generator is asked at full width; views of one <see cref="MmBertEmbeddingGenerator"/>, and views made from one another, share
    /// a small memo (32 MB) of what it answered, so that several properties of one upsert cost one forward pass.</para>
    /// <para>Cutting off dimensions keeps the meaning only for models trained for it. The usage of a call counts what it computed itself.</para>
    /// <para>Thread-safe. Does not dispose the inner generator.</para>
    /// </remarks>
    /// <example><code>
    /// var route = embedder.WithDimensions(64);
    /// var match = route.WithDimensions(256);   // shares route's forward passes
    /// var vector = await route.GenerateVectorAsync("Will it rain in Bern?");
    /// // vector.Length → 64
    /// </code></example>
    /// <param name="generator">Any generator of float vectors.</param>
    /// <param name="dimensions">Leading dimensions kept.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model is known not to have them.</exception>
    public static IEmbeddingGenerator<string, Embedding<float>> WithDimensions(this IEmbeddingGenerator<string, Embedding<float>> generator, int dimensions)
    {
        ArgumentNullException.ThrowIfNull(generator);
        if (generator is MatryoshkaView view)
        {
            return view.With(dimensions, view.Exit);
        }

        VectorMemo memo = generator.GetService(typeof(VectorMemo)) as VectorMemo ?? new();
        return new MatryoshkaView(generator, memo, dimensions, null);
    }

    /// <summary>A view of any generator that asks for a fixed layer exit with each call.</summary>
    /// <remarks>Thread-safe. Does not dispose the inner generator. A generator other than <see cref="MmBertEmbeddingGenerator"/> may ignore the exit.</remarks>
    /// <param name="generator">A generator over a model with layer exits.</param>
    /// <param name="exit">The layer, from 1.</param>
    public static IEmbeddingGenerator<string, Embedding<float>> WithExit(this IEmbeddingGenerator<string, Embedding<float>> generator, int exit)
    {
        ArgumentNullException.ThrowIfNull(generator);
        if (generator is MatryoshkaView view)
        {
            return view.With(view.Dimensions, exit);
        }

        VectorMemo memo = generator.GetService(typeof(VectorMemo)) as VectorMemo ?? new();
        return new MatryoshkaView(generator, memo, null, exit);
    }

    /// <summary>A copy of the options that asks for a layer exit. The options given stay as they are.</summary>
    /// <remarks>The exit travels in <see cref="EmbeddingGenerationOptions.AdditionalProperties"/> as a number, so that caches tell vectors of different exits apart.</remarks>
    /// <example><code>
    /// var quick = await embedder.GenerateAsync(texts, new EmbeddingGenerationOptions { Dimensions = 64 }.WithExit(3));
    /// </code></example>
    /// <param name="options">The options to copy.</param>
    /// <param name="exit">The layer, from 1.</param>
    public static EmbeddingGenerationOptions WithExit(this EmbeddingGenerationOptions options, int exit)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(exit, 1);
        EmbeddingGenerationOptions copy = options.Clone();
        copy.AdditionalProperties ??= [];
        copy.AdditionalProperties[ExitKey] = exit;
        return copy;
    }

    /// <summary>The layer exit that the options ask for, or <see langword="null"/>.</summary>
    /// <param name="options">The options to read.</param>
    /// <exception cref="ArgumentException">The value under <c>mmbert.exit</c> is not a whole number.</exception>
    public static int? GetExit(this EmbeddingGenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        object? value = null;
        _ = options.AdditionalProperties?.TryGetValue(ExitKey, out value);
        return value is null ? null : ToInt32(value)
            ?? throw new ArgumentException($"AdditionalProperties[\"{ExitKey}\"] is '{value}'. Expected: a whole number; set it with WithExit.", nameof(options));
    }

    /// <summary>The number of tokens a vector was made from, special tokens included; <see langword="null"/> where the generator did not say.</summary>
    /// <param name="embedding">An embedding of a <see cref="MmBertEmbeddingGenerator"/> or of a view of one.</param>
    public static int? GetTokenCount(this Embedding embedding)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        object? value = null;
        return embedding.AdditionalProperties?.TryGetValue(TokensKey, out value) is true && value is not null ? ToInt32(value) : null;
    }

    /// <summary>Whether the end of the text was left out because it was too long.</summary>
    /// <param name="embedding">An embedding of a <see cref="MmBertEmbeddingGenerator"/> or of a view of one.</param>
    public static bool IsTruncated(this Embedding embedding)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        object? value = null;
        return embedding.AdditionalProperties?.TryGetValue(TruncatedKey, out value) is true && value is true or JsonElement { ValueKind: JsonValueKind.True };
    }

    /// <summary>A string that changes whenever the default vectors of a generator may change.</summary>
    /// <remarks>For the additional values of a distributed cache's key, and for stores that must not mix vectors of two models.</remarks>
    /// <param name="generator">Any generator. One that is not ours is told by provider, model and dimensions of its metadata.</param>
    public static string GetFingerprint(this IEmbeddingGenerator generator)
    {
        ArgumentNullException.ThrowIfNull(generator);
        if (generator.GetService(typeof(string), FingerprintKey) is string fingerprint)
        {
            return fingerprint;
        }

        EmbeddingGeneratorMetadata? metadata = generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;
        return string.Create(CultureInfo.InvariantCulture, $"{metadata?.ProviderName ?? generator.GetType().Name}/{metadata?.DefaultModelId}/{metadata?.DefaultModelDimensions}");
    }

    // What went through JSON comes back as another kind of number.
    private static int? ToInt32(object value) => value switch
    {
        int number => number,
        long number when number is >= int.MinValue and <= int.MaxValue => (int)number,
        JsonElement { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out int read) => read,
        _ => null,
    };
}
