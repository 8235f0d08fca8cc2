using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>How alike two vectors are, in each form a vector is kept in.</summary>
internal static class Similarity
{
    /// <summary>Dot product; the cosine where both have length 1.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => TensorPrimitives.Dot(a, b);

    /// <summary>Cosine of any two vectors; 0 where one of them is all zeros, never NaN.</summary>
    public static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float lengths = MathF.Sqrt(TensorPrimitives.SumOfSquares(a)) * MathF.Sqrt(TensorPrimitives.SumOfSquares(b));
        return lengths > 0 ? Math.Clamp(TensorPrimitives.Dot(a, b) / lengths, -1f, 1f) : 0;
    }

    /// <summary>Number of sign bits that differ.</summary>
    public static int Hamming(ulong a, ulong b) => BitOperations.PopCount(a ^ b);

    /// <summary>Number of sign bits that differ.</summary>
    public static int Hamming(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        int differ = 0;
        for (int i = 0; i < a.Length; i++)
        {
            differ += BitOperations.PopCount(a[i] ^ b[i]);
        }

        return differ;
    }

    /// <summary>Dot product of two int8 vectors, exact; multiply it by both scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Dot(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        if (a.Length != b.Length)
        {
            throw new ArgumentException($"The vectors have {a.Length} and {b.Length} dimensions. Expected: the same number.", nameof(b));
        }

        ref sbyte left = ref MemoryMarshal.GetReference(a);
        ref sbyte right = ref MemoryMarshal.GetReference(b);
        int at = 0, sum = 0;
        if (Avx512BW.IsSupported && a.Length >= 32)
        {
            // Bytes widen to 16 bits; neighbouring products are added into 32 bits, which cannot overflow.
            Vector512<int> sums = Vector512<int>.Zero;
            for (; at <= a.Length - 32; at += 32)
            {
                sums += Avx512BW.MultiplyAddAdjacent(
                    Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref left, (nuint)at)),
                    Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref right, (nuint)at)));
            }

            sum = Vector512.Sum(sums);
        }
        else if (Avx2.IsSupported && a.Length >= 16)
        {
            Vector256<int> sums = Vector256<int>.Zero;
            for (; at <= a.Length - 16; at += 16)
            {
                sums += Avx2.MultiplyAddAdjacent(
                    Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref left, (nuint)at)),
                    Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref right, (nuint)at)));
            }

            sum = Vector256.Sum(sums);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Vector128<int> sums = Vector128<int>.Zero;
            for (; at <= a.Length - 16; at += 16)
            {
                (Vector128<short> leftLow, Vector128<short> leftHigh) = Vector128.Widen(Vector128.LoadUnsafe(ref left, (nuint)at));
                (Vector128<short> rightLow, Vector128<short> rightHigh) = Vector128.Widen(Vector128.LoadUnsafe(ref right, (nuint)at));
                sums += WidenedProduct(leftLow, rightLow) + WidenedProduct(leftHigh, rightHigh);
            }

            sum = Vector128.Sum(sums);
        }

        return sum + DotPlain(a[at..], b[at..]);
    }

    /// <summary>The plain form that the fast one is tested against.</summary>
    internal static int DotPlain(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        int sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    // A product of two bytes fits 16 bits except -128 × -128, which quantisation never writes; widened all the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenedProduct(Vector128<short> a, Vector128<short> b)
    {
        (Vector128<int> aLow, Vector128<int> aHigh) = Vector128.Widen(a);
        (Vector128<int> bLow, Vector128<int> bHigh) = Vector128.Widen(b);
        return (aLow * bLow) + (aHigh * bHigh);
    }
}
