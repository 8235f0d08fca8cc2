namespace SkMmBert;

/// <summary>A prefix length of a model's vectors: short for scanning everything, long for telling the last few apart.</summary>
public enum VectorTier
{
    /// <summary>The shortest prefix, for scanning everything: 64 in mmBERT and in mini.</summary>
    Route,

    /// <summary>The middle prefix, for a shortlist: 256 in mmBERT, 128 in mini.</summary>
    Retrieve,

    /// <summary>The full vector, for the last comparison: 768 in mmBERT, 256 in mini.</summary>
    Match,
}

/// <summary>How long each tier is in a model.</summary>
public static class VectorTierExtensions
{
    /// <summary>The number of leading dimensions a tier has in a model.</summary>
    /// <param name="tier">The tier.</param>
    /// <param name="manifest">The model. One without tiers has its full width for each of them.</param>
    /// <returns>The prefix length: 64, 256, 768 for mmBERT.</returns>
    public static int DimensionsIn(this VectorTier tier, ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        IReadOnlyList<int> tiers = manifest.Tiers;
        return tier switch
        {
            VectorTier.Match => manifest.HiddenSize,
            VectorTier.Route => tiers.Count > 0 ? tiers[0] : manifest.HiddenSize,
            VectorTier.Retrieve => tiers.Count > 0 ? tiers[tiers.Count / 2] : manifest.HiddenSize,
            _ => throw new ArgumentOutOfRangeException(nameof(tier), $"{(int)tier} is not a tier. Expected: Route, Retrieve or Match."),
        };
    }
}
