using System.Buffers;
using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>One vector per text from its token states.</summary>
internal static class StatePooling
{
    /// <summary>Mean over the tokens of each text, or its first token, [rows, hidden]; the final norm is applied per token, before.</summary>
    /// <param name="hidden">[tokens, hidden].</param>
    /// <param name="lengths">Tokens of each text, [rows].</param>
    /// <param name="pooling">Mean or first token.</param>
    /// <param name="normWeight">Weight of the final norm, [hidden]; empty for none.</param>
    /// <param name="eps">The final norm's.</param>
    /// <param name="pooled">Destination, [rows, hidden].</param>
    public static void Pool(ReadOnlySpan<float> hidden, int[] lengths, ModelPooling pooling, ReadOnlySpan<float> normWeight, float eps, Span<float> pooled)
    {
        int width = pooled.Length / lengths.Length, start = 0;
        for (int row = 0; row < lengths.Length; start += lengths[row++])
        {
            Span<float> result = pooled.Slice(row * width, width);
            int tokens = pooling == ModelPooling.Cls ? 1 : lengths[row];
            Mean(hidden.Slice(start * width, tokens * width), normWeight, eps, result);
        }
    }

    // Sums of 64 tokens in fp32, the sums of those in fp64: as exact for 32,768 tokens as for ten.
    private static void Mean(ReadOnlySpan<float> states, ReadOnlySpan<float> normWeight, float eps, Span<float> result)
    {
        int width = result.Length, tokens = states.Length / width;
        float[] scratch = ArrayPool<float>.Shared.Rent(2 * width);
        double[] total = ArrayPool<double>.Shared.Rent(2 * width);
        Span<float> normed = scratch.AsSpan(0, width), sum = scratch.AsSpan(width, width);
        Span<double> all = total.AsSpan(0, width), wide = total.AsSpan(width, width);
        all.Clear();
        for (int start = 0; start < tokens; start += 64)
        {
            sum.Clear();
            for (int token = start; token < Math.Min(start + 64, tokens); token++)
            {
                ReadOnlySpan<float> state = states.Slice(token * width, width);
                if (normWeight.IsEmpty)
                {
                    TensorPrimitives.Add(sum, state, sum);
                }
                else
                {
                    LayerNorm.Apply(state, normWeight, [], eps, normed);
                    TensorPrimitives.Add(sum, normed, sum);
                }
            }

            TensorPrimitives.ConvertTruncating<float, double>(sum, wide);
            TensorPrimitives.Add(all, wide, all);
        }

        TensorPrimitives.Divide(all, tokens, all);
        TensorPrimitives.ConvertTruncating<double, float>(all, result);
        ArrayPool<double>.Shared.Return(total);
        ArrayPool<float>.Shared.Return(scratch);
    }
}
