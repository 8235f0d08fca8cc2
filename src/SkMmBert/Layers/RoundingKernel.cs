using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>What stands between two int8 products, in one pass over a token: sum, layer norm or GeGLU gate, and rounding to bytes with the token's own scale.</summary>
/// <remarks>A byte is the value over the scale, plus 128; the scale is the token's largest magnitude over 127. Widths are multiples of 16.</remarks>
internal static unsafe class RoundingKernel
{
    /// <summary>Rows that are treated alike.</summary>
    /// <param name="X">States, or the first product of a gate, [N, width].</param>
    /// <param name="Y">A product that is added to the states, or the second one of a gate, [N, width]; null for none.</param>
    /// <param name="Factors">The factor of each row of the products, [N].</param>
    /// <param name="Weight">Weight of the layer norm, [width]; null for no norm.</param>
    /// <param name="Eps">The norm's.</param>
    /// <param name="Width">Values of a row.</param>
    /// <param name="Bytes">Destination, [N, width].</param>
    /// <param name="Scales">Destination, [N]; of a gate times the row's factor, which the gate leaves out.</param>
    /// <param name="Sums">Where the sum goes, [N, width]; null where nobody asks.</param>
    internal readonly record struct Rows(nint X, nint Y, nint Factors, nint Weight, float Eps, int Width, nint Bytes, nint Scales, nint Sums);

    /// <summary>Whether rows of this width can be done.</summary>
    public static bool IsPossible(int width) => width % 16 == 0 && width <= 8_192;

    /// <summary>The sum x + y·factor, its layer norm, and that in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(in Rows rows, int row)
    {
        int width = rows.Width;
        float* x = (float*)rows.X + ((long)row * width), y = (float*)rows.Y + ((long)row * width), weight = (float*)rows.Weight, sums = (float*)rows.Sums + ((long)row * width), values = stackalloc float[width];
        Vector512<float> factor = Vector512.Create(rows.Y == 0 ? 0f : ((float*)rows.Factors)[row]), total = default;
        for (int d = 0; d < width; d += 16)
        {
            Vector512<float> value = Vector512.Load(x + d);
            if (rows.Y != 0)
            {
                value += Vector512.Load(y + d) * factor;   // rounded twice, as the runtime's Mul and Add do at the end of a stretch
            }

            if (rows.Sums != 0)
            {
                value.Store(sums + d);
            }

            value.Store(values + d);
            total += value;
        }

        if (rows.Weight != 0)
        {
            Vector512<float> mean = Vector512.Create(Vector512.Sum(total) / width), squares = default;
            for (int d = 0; d < width; d += 16)
            {
                Vector512<float> off = Vector512.Load(values + d) - mean;
                squares = Avx512F.FusedMultiplyAdd(off, off, squares);
            }

            Vector512<float> share = Vector512.Create(1f / MathF.Sqrt((Vector512.Sum(squares) / width) + rows.Eps));
            for (int d = 0; d < width; d += 16)
            {
                ((Vector512.Load(values + d) - mean) * share * Vector512.Load(weight + d)).Store(values + d);
            }
        }

        ((float*)rows.Scales)[row] = ToBytes(values, width, (byte*)rows.Bytes + ((long)row * width));
    }

    /// <summary>gelu(x·factor)·y in bytes; the scale takes the factor of y along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gate(in Rows rows, int row)
    {
        int width = rows.Width;
        float* x = (float*)rows.X + ((long)row * width), y = (float*)rows.Y + ((long)row * width), values = stackalloc float[width];
        float factor = ((float*)rows.Factors)[row];
        for (int d = 0; d < width; d += 16)
        {
            (Gelu(Vector512.Load(x + d) * factor) * Vector512.Load(y + d)).Store(values + d);
        }

        ((float*)rows.Scales)[row] = ToBytes(values, width, (byte*)rows.Bytes + ((long)row * width)) * factor;
    }

    private static float ToBytes(float* values, int width, byte* bytes)
    {
        Vector512<float> most = default;
        for (int d = 0; d < width; d += 16)
        {
            most = Avx512F.Max(most, Vector512.Abs(Vector512.Load(values + d)));
        }

        float largest = 1e-12f;
        for (int lane = 0; lane < 16; lane++)
        {
            largest = MathF.Max(largest, most[lane]);
        }

        Vector512<float> factor = Vector512.Create(127f / largest);
        for (int d = 0; d < width; d += 16)
        {
            Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(Vector512.Load(values + d) * factor) + Vector512.Create(128)).Store(bytes + d);
        }

        return largest / 127f;
    }

    // x·Φ(x) with erfc by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7, far below a step of the bytes).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Gelu(Vector512<float> x)
    {
        Vector512<float> z = Vector512.Abs(x) * 0.70710678f, t = Vector512<float>.One / Avx512F.FusedMultiplyAdd(z, Vector512.Create(0.3275911f), Vector512<float>.One);
        Vector512<float> p = Avx512F.FusedMultiplyAdd(Vector512.Create(1.061405429f), t, Vector512.Create(-1.453152027f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(1.421413741f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(-0.284496736f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(0.254829592f)) * t;
        Vector512<float> half = p * AttentionSoftmax.Exp2(z * z * -1.44269504f) * 0.5f;   // Φ(-|x|)
        Vector512<float> below = x * half;
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), below, x - below);
    }
}
