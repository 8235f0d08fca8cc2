using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Turns pooled states into vectors of any length: slice, then L2.</summary>
internal static class Matryoshka
{
    private const float LayerNormEpsilon = 1e-5f;

    /// <summary>Writes the first <c>vector.Length</c> components of a pooled row, at length 1. A row of zeros stays zeros.</summary>
    public static void Shape(ReadOnlySpan<float> pooled, Span<float> vector, MatryoshkaRecipe recipe)
    {
        if (recipe == MatryoshkaRecipe.LayerNormFirst)
        {
            LayerNormPrefix(pooled, vector);
        }
        else
        {
            pooled[..vector.Length].CopyTo(vector);
        }

        Normalise(vector);
    }

    /// <summary>Scales a vector to length 1. Zeros stay zeros; the result never holds NaN.</summary>
    public static void Normalise(Span<float> vector)
    {
        float squares = TensorPrimitives.SumOfSquares<float>(vector);
        if (float.IsNormal(squares))
        {
            TensorPrimitives.Divide(vector, MathF.Sqrt(squares), vector);
            return;
        }

        // Squares of very large or very small floats leave the range of float, not that of double.
        double exact = 0;
        foreach (float value in vector)
        {
            exact += (double)value * value;
        }

        if (!double.IsFinite(exact))
        {
            throw new ArithmeticException("The model gave a vector with values that are not finite. Expected: finite numbers. The weights are probably damaged; verify the model folder.");
        }

        if (exact > 0)
        {
            double length = Math.Sqrt(exact);
            for (int i = 0; i < vector.Length; i++)
            {
                vector[i] = (float)(vector[i] / length);
            }
        }
    }

    // The statistics are those of the whole row; only the prefix is written.
    private static void LayerNormPrefix(ReadOnlySpan<float> pooled, Span<float> vector)
    {
        double mean = 0, variance = 0;
        foreach (float value in pooled)
        {
            mean += value;
        }

        mean /= pooled.Length;
        foreach (float value in pooled)
        {
            variance += (value - mean) * (value - mean);
        }

        double scale = 1 / Math.Sqrt((variance / pooled.Length) + LayerNormEpsilon);
        for (int i = 0; i < vector.Length; i++)
        {
            vector[i] = (float)((pooled[i] - mean) * scale);
        }
    }
}
