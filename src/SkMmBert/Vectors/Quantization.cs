using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Smaller forms of a vector: one sign bit, or one signed byte, per dimension.</summary>
internal static class Quantization
{
    /// <summary>Number of 64-bit words that hold the signs of a vector.</summary>
    public static int SignWords(int dimensions) => (dimensions + 63) / 64;

    /// <summary>Sets bit i where component i is above zero; bits past the end are zero.</summary>
    public static void Signs(ReadOnlySpan<float> vector, Span<ulong> signs)
    {
        for (int word = 0, at = 0; word < SignWords(vector.Length); word++)
        {
            ulong bits = 0;
            for (int bit = 0; bit < 64 && at < vector.Length; bit++, at++)
            {
                bits |= (vector[at] > 0 ? 1UL : 0UL) << bit;
            }

            signs[word] = bits;
        }
    }

    /// <summary>The signs of the first 64 components in one word.</summary>
    public static ulong Signs64(ReadOnlySpan<float> vector)
    {
        ulong signs = 0;
        Signs(vector[..Math.Min(64, vector.Length)], MemoryMarshal.CreateSpan(ref signs, 1));
        return signs;
    }

    /// <summary>Writes components as -127..127 and returns the scale: component ≈ byte × scale, off by at most half a scale.</summary>
    public static float ToInt8(ReadOnlySpan<float> vector, Span<sbyte> bytes)
    {
        float largest = vector.IsEmpty ? 0 : MathF.Abs(TensorPrimitives.MaxMagnitude(vector));
        float scale = largest / 127f;
        if (!float.IsNormal(scale))
        {
            bytes[..vector.Length].Clear();
            return 0;
        }

        for (int i = 0; i < vector.Length; i++)
        {
            bytes[i] = (sbyte)Math.Clamp(MathF.Round(vector[i] / scale), -127f, 127f);
        }

        return scale;
    }

    /// <summary>Writes byte × scale.</summary>
    public static void ToFloat(ReadOnlySpan<sbyte> bytes, float scale, Span<float> vector)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            vector[i] = bytes[i] * scale;
        }
    }
}
