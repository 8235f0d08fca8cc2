using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Measures vectors on pairs of texts.</summary>
internal static class PairEvaluation
{
    /// <summary>Vectors of all texts, at full width.</summary>
    public static async Task<(float[][] A, float[][] B)> EmbedAsync(IEmbeddingGenerator<string, Embedding<float>> generator, PairSet set, CancellationToken cancellationToken)
    {
        string[] texts = [.. set.Pairs.SelectMany(pair => new[] { pair.A, pair.B }).Distinct()];
        GeneratedEmbeddings<Embedding<float>> made = await generator.GenerateAsync(texts, cancellationToken: cancellationToken);
        Dictionary<string, float[]> vectors = Enumerable.Range(0, texts.Length).ToDictionary(i => texts[i], i => made[i].Vector.ToArray());
        return ([.. set.Pairs.Select(pair => vectors[pair.A])], [.. set.Pairs.Select(pair => vectors[pair.B])]);
    }

    /// <summary>Rank correlation of the cosines with what people said.</summary>
    public static double Spearman(PairSet set, float[][] a, float[][] b, int dims) => Pearson(
        Ranks([.. a.Select((vector, i) => (double)TensorPrimitives.CosineSimilarity(vector.AsSpan(0, dims), b[i].AsSpan(0, dims)))]), Ranks([.. set.Pairs.Select(pair => pair.Score)]));

    /// <summary>Share of texts whose nearest text of the other language is their translation. Equal texts are each other's translation.</summary>
    public static double Accuracy(IReadOnlyList<string> targets, float[][] from, float[][] to, int dims)
    {
        float[][] unit = [.. to.Select(vector => Unit(vector, dims))];
        int right = 0;
        for (int i = 0; i < from.Length; i++)
        {
            int best = 0;
            float most = float.MinValue;
            for (int j = 0; j < unit.Length; j++)
            {
                float cosine = TensorPrimitives.Dot(from[i].AsSpan(0, dims), unit[j]);
                (best, most) = cosine > most ? (j, cosine) : (best, most);
            }

            right += best == i || targets[best] == targets[i] ? 1 : 0;
        }

        return (double)right / Math.Max(1, from.Length);
    }

    /// <summary>Ranks; equal values share the mean of theirs.</summary>
    public static double[] Ranks(double[] values)
    {
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
        double[] ranks = new double[values.Length];
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]] == values[order[start]]; end++)
            {
            }

            for (int i = start; i < end; i++)
            {
                ranks[order[i]] = (start + end - 1) / 2.0;
            }
        }

        return ranks;
    }

    private static double Pearson(double[] a, double[] b)
    {
        double meanA = a.DefaultIfEmpty(0).Average(), meanB = b.DefaultIfEmpty(0).Average(), both = 0, squaresA = 0, squaresB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            (double x, double y) = (a[i] - meanA, b[i] - meanB);
            (both, squaresA, squaresB) = (both + (x * y), squaresA + (x * x), squaresB + (y * y));
        }

        return squaresA > 0 && squaresB > 0 ? both / Math.Sqrt(squaresA * squaresB) : 0;
    }

    private static float[] Unit(float[] vector, int dims)
    {
        float[] unit = vector[..dims];
        float norm = TensorPrimitives.Norm<float>(unit);
        TensorPrimitives.Divide(unit, norm > 0 ? norm : 1, unit);
        return unit;
    }
}
