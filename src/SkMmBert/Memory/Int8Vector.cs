using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>Vectors of one byte a number with one scale: the coarse form the funnel scans.</summary>
internal static class Int8Vector
{
    /// <summary>Rounds numbers to bytes; number i is about <c>bytes[i] * scale</c>, where scale is what is returned.</summary>
    public static float Quantize(ReadOnlySpan<float> numbers, Span<sbyte> bytes)
    {
        float largest = numbers.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(numbers));
        if (largest == 0)
        {
            bytes.Clear();
            return 0;
        }

        float factor = 127 / largest;
        for (int i = 0; i < numbers.Length; i++)
        {
            bytes[i] = (sbyte)MathF.Round(numbers[i] * factor);
        }

        return largest / 127;
    }

    /// <summary>The dot product of two rows of bytes of the same length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Dot(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        ref sbyte x = ref MemoryMarshal.GetReference(a);
        ref sbyte y = ref MemoryMarshal.GetReference(b);
        int i = 0, sum = 0;
        if (Avx512BW.IsSupported && a.Length >= 32)
        {
            Vector512<int> total = Vector512<int>.Zero;
            for (; i <= a.Length - 32; i += 32)
            {
                total += Avx512BW.MultiplyAddAdjacent(
                    Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref x, (nuint)i)), Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref y, (nuint)i)));
            }

            sum = Vector512.Sum(total);
        }
        else if (Avx2.IsSupported && a.Length >= 16)
        {
            Vector256<int> total = Vector256<int>.Zero;
            for (; i <= a.Length - 16; i += 16)
            {
                total += Avx2.MultiplyAddAdjacent(
                    Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref x, (nuint)i)), Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref y, (nuint)i)));
            }

            sum = Vector256.Sum(total);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Vector128<int> total = Vector128<int>.Zero;
            for (; i <= a.Length - 16; i += 16)
            {
                // The product of two bytes fits 16 bits; sums of them need 32.
                (Vector128<short> xLow, Vector128<short> xHigh) = Vector128.Widen(Vector128.LoadUnsafe(ref x, (nuint)i));
                (Vector128<short> yLow, Vector128<short> yHigh) = Vector128.Widen(Vector128.LoadUnsafe(ref y, (nuint)i));
                (Vector128<int> a0, Vector128<int> a1) = Vector128.Widen(xLow * yLow);
                (Vector128<int> b0, Vector128<int> b1) = Vector128.Widen(xHigh * yHigh);
                total += a0 + a1 + b0 + b1;
            }

            sum = Vector128.Sum(total);
        }

        for (; i < a.Length; i++)
        {
            sum += Unsafe.Add(ref x, i) * Unsafe.Add(ref y, i);
        }

        return sum;
    }
}
