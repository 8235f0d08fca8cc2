using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Checks of an embedder that need no published numbers: what must hold for any model, whatever its weights.</summary>
internal static class SelfConsistency
{
    // int8 rounds each token by itself; what is left is the order of additions, and only where texts are padded.
    private const double Fp32Tolerance = 1e-5, Int8Tolerance = 1e-3;

    private static readonly string[] Texts = [.. VectorTour.Sentences, "", "x", string.Join(' ', Enumerable.Repeat("The quick brown fox jumps over the lazy dog.", 40)), "Smile 😀 and <eos> in a text"];

    public static async Task<List<ConformanceCase>> RunAsync(MmBertModel model, ModelOptions options, CancellationToken cancellationToken)
    {
        ModelManifest manifest = model.Manifest;
        MmBertEmbeddingGenerator generator = new(model);
        double tolerance = options.Precision == ModelPrecision.Int8 ? Int8Tolerance : Fp32Tolerance;
        int[] exits = [.. manifest.Exits.Append(manifest.Layers).Distinct().Order()], dimensions = [.. manifest.Dimensions.Where(d => d < manifest.HiddenSize)];
        List<ConformanceCase> cases = [];
        void Add(string name, double difference, double allowed) => cases.Add(new(manifest.Id, name, true, double.IsFinite(difference) ? difference : double.MaxValue, allowed));

        foreach (int exit in exits)
        {
            float[][] together = await EmbedAsync(generator, Texts, exit, null, cancellationToken);
            Add($"exit {exit}: every vector has length 1", together.Max(vector => Math.Abs(1 - TensorPrimitives.Norm<float>(vector))), Fp32Tolerance);
            float[][] alone = new float[Texts.Length][];
            for (int i = 0; i < Texts.Length; i++)
            {
                alone[i] = (await EmbedAsync(generator, [Texts[i]], exit, null, cancellationToken))[0];
            }

            Add($"exit {exit}: a text beside others is the text alone", Largest(together, alone), tolerance);
            foreach (int length in dimensions)
            {
                float[][] shorter = await EmbedAsync(generator, Texts, exit, length, cancellationToken), cut = [.. together.Select(vector => Cut(vector, length))];
                Add($"exit {exit}: {length} dimensions are the beginning of all", Largest(shorter, cut), tolerance);
            }
        }

        float[][] again = await EmbedAsync(generator, Texts, exits[^1], null, cancellationToken), once = await EmbedAsync(generator, Texts, exits[^1], null, cancellationToken);
        Add("the same texts give the same vectors again", Largest(again, once), 0);
        return cases;
    }

    public static async Task<float[][]> EmbedAsync(MmBertEmbeddingGenerator generator, IReadOnlyList<string> texts, int exit, int? dimensions, CancellationToken cancellationToken) =>
        [.. (await generator.GenerateAsync(texts, new EmbeddingGenerationOptions { Dimensions = dimensions }.WithExit(exit), cancellationToken)).Select(embedding => embedding.Vector.ToArray())];

    private static float[] Cut(float[] vector, int length)
    {
        float[] cut = vector[..length];
        TensorPrimitives.Divide(cut, TensorPrimitives.Norm<float>(cut), cut);
        return cut;
    }

    private static double Largest(float[][] some, float[][] others) => some.Zip(others, (a, b) => a.Zip(b, (x, y) => (double)Math.Abs(x - y)).Max()).Max();
}
