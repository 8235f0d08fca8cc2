using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Layer normalisation of one token state (Ba et al. 2016, arXiv:1607.06450).</summary>
internal static class LayerNorm
{
    /// <summary>(x - mean) / sqrt(variance + eps) · weight + bias; source and destination may be the same.</summary>
    public static void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float eps, Span<float> result)
    {
        float mean = TensorPrimitives.Sum(x) / x.Length;
        TensorPrimitives.Subtract(x, mean, result);
        float variance = TensorPrimitives.SumOfSquares<float>(result) / x.Length;
        TensorPrimitives.Multiply(result, 1f / MathF.Sqrt(variance + eps), result);
        TensorPrimitives.Multiply(result, weight, result);
        if (!bias.IsEmpty)
        {
            TensorPrimitives.Add(result, bias, result);
        }
    }
}
