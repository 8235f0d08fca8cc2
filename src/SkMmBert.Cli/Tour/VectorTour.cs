using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>The vectors part of the demo: six sentences at full width, then at every tier and exit.</summary>
internal sealed class VectorTour
{
    private readonly float[][] _full;

    private VectorTour(float[][] full, IReadOnlyList<Stop> stops) => (_full, Stops) = (full, stops);

    public static string[] Sentences { get; } =
    [
        "What is the weather like in Bern?",
        "Wie ist das Wetter in Bern?",
        "¿Qué tiempo hace en Berna?",
        "今天天气怎么样？",
        "Send an email to my manager.",
        "Schicke meiner Chefin eine E-Mail.",
    ];

    public IReadOnlyList<Stop> Stops { get; }

    public float Cosine(int a, int b) => Cosine(_full, a, b);

    public static async Task<VectorTour> TakeAsync(MmBertModel model, CancellationToken cancellationToken)
    {
        MmBertEmbeddingGenerator generator = new(model);
        ModelManifest manifest = model.Manifest;
        IEnumerable<int> tiers = manifest.Tiers.Count > 0 ? manifest.Tiers : [manifest.HiddenSize];
        float[][] full = await EmbedAsync(generator, manifest.HiddenSize, manifest.Layers, cancellationToken);
        List<Stop> stops = [];
        foreach ((int exit, int dimensions) in tiers.Reverse().Select(tier => (manifest.Layers, tier))
            .Concat(manifest.Exits.Where(exit => exit != manifest.Layers).Reverse().Select(exit => (exit, manifest.HiddenSize))))
        {
            await EmbedAsync(generator, dimensions, exit, cancellationToken); // the first run at an exit maps its layers
            long started = Stopwatch.GetTimestamp();
            float[][] vectors = await EmbedAsync(generator, dimensions, exit, cancellationToken);
            double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            int same = Enumerable.Range(0, full.Length).Count(i => Nearest(vectors, i) == Nearest(full, i));
            stops.Add(new(exit, dimensions, milliseconds, Cosine(vectors, 0, 1), Cosine(vectors, 0, 4), same));
        }

        return new(full, stops);
    }

    private static async Task<float[][]> EmbedAsync(MmBertEmbeddingGenerator generator, int dimensions, int exit, CancellationToken cancellationToken)
    {
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(Sentences, new EmbeddingGenerationOptions { Dimensions = dimensions }.WithExit(exit), cancellationToken);
        return [.. found.Select(embedding => embedding.Vector.ToArray())];
    }

    private static float Cosine(float[][] vectors, int a, int b) => TensorPrimitives.Dot<float>(vectors[a], vectors[b]);

    private static int Nearest(float[][] vectors, int of) => Enumerable.Range(0, vectors.Length).Where(i => i != of).MaxBy(i => Cosine(vectors, of, i));

    /// <summary>The six sentences at one exit and length.</summary>
    /// <param name="Exit">The layer.</param>
    /// <param name="Dimensions">The length.</param>
    /// <param name="Milliseconds">Time for all six.</param>
    /// <param name="Alike">Cosine of the same question in two languages.</param>
    /// <param name="Unlike">Cosine of the question and a request that has nothing to do with it.</param>
    /// <param name="SameNearest">How many sentences have the same nearest neighbour as with full vectors.</param>
    internal sealed record Stop(int Exit, int Dimensions, double Milliseconds, float Alike, float Unlike, int SameNearest);
}
