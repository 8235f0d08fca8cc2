using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>Keys, queries and values of coarse attention as integers: 128 products of a key and a query, and 96 of a value and a weight, add up within 32 bits.</summary>
internal static unsafe class AttentionRounding
{
    private const float Largest = 4_095f, LargestValue = 2_047f, Tiny = 1e-30f;

    /// <summary>A key or query, rounded with a scale of its own.</summary>
    /// <param name="row">Numbers, a multiple of 16.</param>
    /// <param name="size">How many.</param>
    /// <param name="to">Destination; may be the row.</param>
    /// <returns>The scale.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Row(float* row, int size, short* to)
    {
        Vector512<float> most = Vector512<float>.Zero;
        for (int d = 0; d < size; d += 16)
        {
            most = Vector512.Max(most, Vector512.Abs(Vector512.Load(row + d)));
        }

        Vector256<float> half = Vector256.Max(most.GetLower(), most.GetUpper());
        Vector128<float> four = Vector128.Max(half.GetLower(), half.GetUpper());
        float max = MathF.Max(MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3])), Tiny), factor = Largest / max;
        for (int d = 0; d < size; d += 16)
        {
            Avx512F.ConvertToVector256Int16(Avx512F.ConvertToVector512Int32(Vector512.Load(row + d) * factor)).Store(to + d);
        }

        return max / Largest;
    }

    /// <summary>The values of a head, rounded with a scale of each column, two tokens to a lane.</summary>
    /// <param name="x">The first token's values.</param>
    /// <param name="stride">From one token to the next.</param>
    /// <param name="factors">A factor of each token; null for none.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="size">Columns, a multiple of 16.</param>
    /// <param name="to">Destination: panels of 32 columns, [pairs, 32] each.</param>
    /// <param name="panel">From one panel to the next.</param>
    /// <param name="pairs">Room for pairs of tokens; zero beyond the last token.</param>
    /// <param name="scales">Where the scales go, [columns].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Values(float* x, int stride, float* factors, int tokens, int size, int* to, int panel, int pairs, float* scales)
    {
        for (int column = 0; column < size; column += 16)
        {
            Vector512<float> most = Vector512.Create(Tiny);
            for (int i = 0; i < tokens; i++)
            {
                most = Vector512.Max(most, Vector512.Abs(At(x, stride, factors, i, column)));
            }

            (most / LargestValue).Store(scales + column);
        }

        for (int column = 0; column < size; column += 16)
        {
            int* pair = to + (column / AttentionProducts.Width * panel) + (column % AttentionProducts.Width);
            Vector512<float> inverse = Vector512<float>.One / Vector512.Load(scales + column);
            for (int i = 0; i < 2 * pairs; i += 2, pair += AttentionProducts.Width)
            {
                Vector512<int> low = i < tokens ? Avx512F.ConvertToVector512Int32(At(x, stride, factors, i, column) * inverse) : default;
                Vector512<int> high = i + 1 < tokens ? Avx512F.ConvertToVector512Int32(At(x, stride, factors, i + 1, column) * inverse) : default;
                ((low & Vector512.Create(0xFFFF)) | (high << 16)).Store(pair);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> At(float* x, int stride, float* factors, int token, int column)
    {
        Vector512<float> values = Vector512.Load(x + ((long)token * stride) + column);
        return factors == null ? values : values * factors[token];
    }
}
