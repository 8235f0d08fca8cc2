namespace SkMmBert.Cli;

/// <summary>What a benchmark measures of one model.</summary>
/// <param name="Lengths">Tokens of single texts, ascending.</param>
/// <param name="Exits">Exits at each length, ascending; the last one stands for the whole model.</param>
/// <param name="Precisions">Precisions.</param>
/// <param name="ShortTexts">Texts of 8 to 60 tokens; 0 for none.</param>
/// <param name="Streams">Runs side by side, each to be measured; empty for none.</param>
/// <param name="Left">Time on the clock until it has to be done; null where there is no limit.</param>
internal sealed record BenchPlan(IReadOnlyList<int> Lengths, Func<int, IReadOnlyList<int>> Exits, IReadOnlyList<ModelPrecision> Precisions, int ShortTexts, IReadOnlyList<int> Streams, Func<TimeSpan>? Left)
{
    private const int ShortestShort = 8, LongestShort = 60, QuickExitsAt = 128;
    private static readonly int[] Quick = [16, 64, QuickExitsAt, 512], Full = [16, 32, 64, QuickExitsAt, 512, 2_048, 8_192];

    /// <summary>The cases of a model, for a short look or for the whole table.</summary>
    /// <param name="manifest">The model.</param>
    /// <param name="precisions">Precisions.</param>
    /// <param name="left">Time that is left for a short look; null for the whole table.</param>
    public static BenchPlan For(ModelManifest manifest, IReadOnlyList<ModelPrecision> precisions, Func<TimeSpan>? left)
    {
        bool quick = left is not null;
        int[] exits = [.. manifest.Exits.Append(manifest.Layers).Distinct().Order()];
        return new(
            [.. (quick ? Quick : Full).Where(length => length <= manifest.ContextLength).DefaultIfEmpty(manifest.ContextLength)],
            length => quick && length != QuickExitsAt ? exits[^1..] : exits,
            precisions,
            quick ? 64 : 320,
            [.. new[] { 1, 2, 4, 8, 16, 32, 64 }.Where(streams => streams <= Math.Min(Environment.ProcessorCount, quick ? 2 : 64))],
            left);
    }

    /// <summary>Most rounds of a length: enough for a steady least time, and few where one takes long.</summary>
    public static int Rounds(int tokens) => tokens >= 8_192 ? 1 : tokens >= 2_048 ? 3 : tokens >= 512 ? 6 : 15;

    /// <summary>A text of random tokens, the same one every time.</summary>
    public static int[] Text(int tokens, int vocabulary) => Text(new Random(tokens), tokens, vocabulary);

    /// <summary>Texts of 8 to 60 tokens, the same ones every time.</summary>
    public static int[][] Short(int count, int longest, int vocabulary)
    {
        Random random = new(7);
        return [.. Enumerable.Range(0, count).Select(_ => Text(random, Math.Min(longest, random.Next(ShortestShort, LongestShort + 1)), vocabulary))];
    }

    private static int[] Text(Random random, int tokens, int vocabulary) => [.. Enumerable.Range(0, tokens).Select(_ => random.Next(Math.Min(5, vocabulary - 1), vocabulary))];
}
