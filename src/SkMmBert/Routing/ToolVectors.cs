using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SkMmBert;

/// <summary>The vectors of a catalogue as bytes in one block, one row for each profile and example.</summary>
/// <remarks>Immutable and thread-safe. A scan allocates nothing.</remarks>
internal sealed class ToolVectors
{
    private readonly sbyte[] _bytes;    // [rows, width]
    private readonly float[] _scales;   // [rows]

    public ToolVectors(int rows, int width)
    {
        (Rows, Width) = (rows, width);
        _bytes = GC.AllocateUninitializedArray<sbyte>(checked(rows * width));
        _scales = new float[rows];
    }

    public int Rows { get; }

    public int Width { get; }

    public long Bytes => _bytes.Length + (_scales.Length * 4L);

    /// <summary>Sets a row to a prefix of a vector, at length 1.</summary>
    public void Set(int row, ReadOnlySpan<float> vector) => _scales[row] = Quantize(vector[..Width], _bytes.AsSpan(row * Width, Width));

    /// <summary>Writes a vector as bytes and returns the scale that makes it a vector of length 1; 0 for one without direction.</summary>
    public static float Quantize(ReadOnlySpan<float> vector, Span<sbyte> bytes)
    {
        float length = vector.IsEmpty ? 0 : TensorPrimitives.Norm(vector);
        float largest = vector.IsEmpty ? 0 : MathF.Abs(TensorPrimitives.MaxMagnitude(vector));
        if (!float.IsNormal(length) || !float.IsNormal(largest))
        {
            bytes.Clear();
            return 0;
        }

        float factor = 127 / largest;
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (sbyte)Math.Clamp(MathF.Round(vector[i] * factor), -127f, 127f);
        }

        return largest / (127 * length);
    }

    /// <summary>Cosines of all rows with a query of the same width.</summary>
    public void Scan(ReadOnlySpan<sbyte> query, float queryScale, Span<float> cosines)
    {
        for (int row = 0; row < Rows; row++)
        {
            cosines[row] = Dot(query, _bytes.AsSpan(row * Width, Width)) * queryScale * _scales[row];
        }
    }

    /// <summary>Cosine of one row with a query of the same width.</summary>
    public float Cosine(int row, ReadOnlySpan<sbyte> query, float queryScale) =>
        Dot(query, _bytes.AsSpan(row * Width, Width)) * queryScale * _scales[row];

    // The product of two bytes in -127..127 fits 16 bits, and so does the sum of two products; more need 32.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Dot(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        ref sbyte x = ref MemoryMarshal.GetReference(a);
        ref sbyte y = ref MemoryMarshal.GetReference(b);
        int i = 0, sum = 0;
        if (Vector512.IsHardwareAccelerated && a.Length >= 64)
        {
            Vector512<int> total = Vector512<int>.Zero;
            for (; i <= a.Length - 64; i += 64)
            {
                Vector512<sbyte> u = Vector512.LoadUnsafe(ref x, (nuint)i), v = Vector512.LoadUnsafe(ref y, (nuint)i);
                Vector512<short> pairs = (Vector512.WidenLower(u) * Vector512.WidenLower(v)) + (Vector512.WidenUpper(u) * Vector512.WidenUpper(v));
                total += Vector512.WidenLower(pairs) + Vector512.WidenUpper(pairs);
            }

            sum = Vector512.Sum(total);
        }

        if (Vector128.IsHardwareAccelerated)
        {
            Vector128<int> total = Vector128<int>.Zero;
            for (; i <= a.Length - 16; i += 16)
            {
                Vector128<sbyte> u = Vector128.LoadUnsafe(ref x, (nuint)i), v = Vector128.LoadUnsafe(ref y, (nuint)i);
                Vector128<short> pairs = (Vector128.WidenLower(u) * Vector128.WidenLower(v)) + (Vector128.WidenUpper(u) * Vector128.WidenUpper(v));
                total += Vector128.WidenLower(pairs) + Vector128.WidenUpper(pairs);
            }

            sum += Vector128.Sum(total);
        }

        for (; i < a.Length; i++)
        {
            sum += Unsafe.Add(ref x, i) * Unsafe.Add(ref y, i);
        }

        return sum;
    }
}
