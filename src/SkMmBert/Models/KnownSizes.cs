namespace SkMmBert;

/// <summary>The exits and dimensions a model was trained for: what its folder says, else what is published for its shape.</summary>
internal static class KnownSizes
{
    public static (IReadOnlyList<int> Exits, IReadOnlyList<int> Dimensions) Of(EncoderConfig config)
    {
        (int[] exits, int[] dimensions) = (config.Architecture, config.Layers, config.HiddenSize, config.VocabSize) switch
        {
            ("modernbert", 22, 768, 256_000) => (new[] { 3, 6, 11, 16, 22 }, new[] { 768, 512, 256, 128, 64 }),   // mmbert-embed-32k-2d-matryoshka and its siblings
            ("bert", 24, 1_024, 30_522) => ([], [1_024, 512, 256, 128, 64]),                                       // mxbai-embed-2d-large-v1: any exit
            _ => ([], []),
        };
        return (config.Exits.Count > 0 ? config.Exits : exits, config.Dimensions.Count > 0 ? config.Dimensions : dimensions);
    }

    /// <summary>The shortest trained vector, the one nearest a third of the width, and the full one.</summary>
    public static IReadOnlyList<int> Tiers(int width, IReadOnlyList<int> dimensions)
    {
        int[] shorter = [.. dimensions.Where(d => d < width).Order()];
        return shorter.Length switch
        {
            0 => [width],
            1 => [shorter[0], width],
            _ => [shorter[0], shorter.Skip(1).MinBy(d => Math.Abs(d - (width / 3))), width],
        };
    }
}
