namespace SkMmBert;

/// <summary>The vectors of a catalogue as bytes in one block, one row for each profile and example.</summary>
/// <remarks>Filled once, then only read; a scan allocates nothing.</remarks>
internal sealed class ToolVectors(int rows, int width)
{
    private readonly sbyte[] _bytes = new sbyte[checked(rows * width)];     // [rows, width]
    private readonly float[] _scales = new float[rows];                     // [rows] what makes the bytes a vector of length 1

    public int Rows => rows;

    public int Width => width;

    public long Bytes => _bytes.Length + (_scales.Length * 4L);

    /// <summary>Sets a row to the leading bytes of a vector.</summary>
    public void Set(int row, ReadOnlySpan<sbyte> vector)
    {
        Span<sbyte> to = _bytes.AsSpan(row * width, width);
        vector[..width].CopyTo(to);
        _scales[row] = Scale(to);
    }

    /// <summary>Writes a vector as bytes and returns the scale that makes it a vector of length 1; 0 for one without direction.</summary>
    public static float Quantize(ReadOnlySpan<float> vector, Span<sbyte> bytes)
    {
        Quantization.ToInt8(vector, bytes);
        return Scale(bytes);
    }

    /// <summary>What makes bytes a vector of length 1.</summary>
    public static float Scale(ReadOnlySpan<sbyte> bytes)
    {
        int squares = Similarity.Dot(bytes, bytes);
        return squares == 0 ? 0 : 1 / MathF.Sqrt(squares);
    }

    /// <summary>Cosines of all rows with a query of the same width.</summary>
    public void Scan(ReadOnlySpan<sbyte> query, float queryScale, Span<float> cosines)
    {
        for (int row = 0; row < rows; row++)
        {
            cosines[row] = Similarity.Dot(query, _bytes.AsSpan(row * width, width)) * queryScale * _scales[row];
        }
    }

    /// <summary>A row as a vector of length 1.</summary>
    public float[] Row(int row)
    {
        float[] vector = new float[width];
        for (int i = 0; i < width; i++)
        {
            vector[i] = _bytes[(row * width) + i] * _scales[row];
        }

        return vector;
    }

    /// <summary>Cosine of one row with a query of the same width.</summary>
    public float Cosine(int row, ReadOnlySpan<sbyte> query, float queryScale) =>
        Similarity.Dot(query, _bytes.AsSpan(row * width, width)) * queryScale * _scales[row];
}
