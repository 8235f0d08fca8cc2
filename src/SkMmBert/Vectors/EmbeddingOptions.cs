using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>How texts become vectors.</summary>
/// <remarks>What a single request asks for in its <see cref="EmbeddingGenerationOptions"/> wins over these values.</remarks>
public sealed record EmbeddingOptions
{
    /// <summary>Tokens kept per text, special tokens included.</summary>
    /// <value>The default is <see langword="null"/>: the model's context length.</value>
    public int? MaxTokens { get; init; }

    /// <summary>What happens to a text with more than <see cref="MaxTokens"/> tokens.</summary>
    /// <value>The default is <see cref="LongTextHandling.Cut"/>; what was cut is reported on the embedding.</value>
    public LongTextHandling LongTexts { get; init; }

    /// <summary>Leading dimensions kept; the rest is dropped and the vector is scaled to length 1 again.</summary>
    /// <value>The default is <see langword="null"/>: all dimensions of the model.</value>
    public int? Dimensions { get; init; }

    /// <summary>The layer where texts leave the model; fewer layers take less time and give a coarser vector.</summary>
    /// <value>The default is <see langword="null"/>: the last exit.</value>
    public int? Exit { get; init; }

    /// <summary>Whether lengths that the model was not trained for are allowed, up to its width.</summary>
    /// <value>The default is <see langword="false"/>: a length outside <see cref="ModelManifest.Dimensions"/> is refused. No effect where that list is empty.</value>
    public bool AllowUntrainedDimensions { get; init; }

    /// <summary>Whether layers that the model was not trained or published to be left at are allowed.</summary>
    /// <value>The default is <see langword="false"/>: a layer outside <see cref="ModelManifest.Exits"/> is refused. No effect where that list is empty.</value>
    public bool AllowUntrainedExits { get; init; }

    /// <summary>The steps from pooled states to a vector.</summary>
    /// <value>The default is <see cref="MatryoshkaRecipe.Matryoshka"/>.</value>
    public MatryoshkaRecipe Recipe { get; init; }

    /// <summary>Runs of the model at once, over all callers of one generator. More of them use more memory.</summary>
    /// <value>The default is <see langword="null"/>: the number of processors, divided by <see cref="ModelOptions.Threads"/> where that is set.</value>
    public int? Streams { get; init; }

    /// <summary>The clock that <see cref="Embedding.CreatedAt"/> is read from.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal void Validate(ModelManifest manifest, int specialTokens)
    {
        if (MaxTokens is { } tokens && (tokens <= specialTokens || tokens > manifest.ContextLength))
        {
            throw new ArgumentOutOfRangeException(nameof(MaxTokens), $"MaxTokens is {tokens}. Expected: {specialTokens + 1} to {manifest.ContextLength}, the context length of '{manifest.Id}'.");
        }

        if (Streams < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(Streams), $"Streams is {Streams}. Expected: at least 1, or null for one per processor.");
        }

        if (!Enum.IsDefined(LongTexts))
        {
            throw new ArgumentOutOfRangeException(nameof(LongTexts), $"LongTexts is {(int)LongTexts}. Expected: Cut, Error or Chunk.");
        }

        if (!Enum.IsDefined(Recipe))
        {
            throw new ArgumentOutOfRangeException(nameof(Recipe), $"Recipe is {(int)Recipe}. Expected: Matryoshka or LayerNormFirst.");
        }

        ArgumentNullException.ThrowIfNull(Clock);
        CheckDimensions(Dimensions ?? manifest.HiddenSize, manifest);
        CheckExit(Exit ?? DefaultExit(manifest), manifest);
    }

    internal static int DefaultExit(ModelManifest manifest) => manifest.Exits.Count > 0 ? manifest.Exits[^1] : manifest.Layers;

    internal int CheckDimensions(int dimensions, ModelManifest manifest)
    {
        if (dimensions < 1 || dimensions > manifest.HiddenSize)
        {
            throw new ArgumentOutOfRangeException(nameof(Dimensions), $"{dimensions} dimensions were asked of '{manifest.Id}'. Expected: {Choice(manifest.Dimensions, $"1 to {manifest.HiddenSize}, the model's width")}.");
        }

        if (dimensions != manifest.HiddenSize && !AllowUntrainedDimensions && manifest.Dimensions.Count > 0 && !manifest.Dimensions.Contains(dimensions))
        {
            throw new ArgumentOutOfRangeException(nameof(Dimensions), $"{dimensions} dimensions were asked of '{manifest.Id}'. Expected: {Choice(manifest.Dimensions, "")}, which it was trained for; set AllowUntrainedDimensions to use others.");
        }

        return dimensions;
    }

    internal int CheckExit(int exit, ModelManifest manifest)
    {
        if (exit < 1 || exit > manifest.Layers)
        {
            throw new ArgumentOutOfRangeException(nameof(Exit), $"Exit {exit} was asked of '{manifest.Id}'. Expected: {Choice(manifest.Exits, $"1 to {manifest.Layers}, the model's layers")}.");
        }

        if (!AllowUntrainedExits && manifest.Exits.Count > 0 && !manifest.Exits.Contains(exit))
        {
            throw new ArgumentOutOfRangeException(nameof(Exit), $"Exit {exit} was asked of '{manifest.Id}'. Expected: {Choice(manifest.Exits, "")}, which it was trained for; set AllowUntrainedExits to use others.");
        }

        return exit;
    }

    private static string Choice(IReadOnlyList<int> trained, string otherwise) => trained.Count == 0 ? otherwise : "one of " + string.Join(", ", trained);
}

/// <summary>The steps from pooled states to a vector.</summary>
public enum MatryoshkaRecipe
{
    /// <summary>Slice, then L2: mmBERT and most Matryoshka models.</summary>
    Matryoshka,

    /// <summary>Layer norm over the full width, slice, then L2: nomic-embed-text-v1.5.</summary>
    LayerNormFirst,
}
