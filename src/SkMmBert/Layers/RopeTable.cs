namespace SkMmBert;

/// <summary>Cosines and sines of the rotary embedding (Su et al. 2021, arXiv:2104.09864) by position; grows as longer texts come.</summary>
/// <remarks>Thread-safe: a table is replaced by a longer one, never changed. Angles are fp32 products, as in the reference.</remarks>
internal sealed class RopeTable(float[] inverseFrequencies, float scaling)
{
    private Rows _table = new([], []);

    /// <summary>Writes one row per token, [tokens, half]; positions start at 0 in every text.</summary>
    public void Write(int[] lengths, Span<float> cos, Span<float> sin)
    {
        int half = inverseFrequencies.Length, at = 0;
        Rows table = Table(lengths.Max());
        foreach (int length in lengths)
        {
            table.Cos.AsSpan(0, length * half).CopyTo(cos[at..]);
            table.Sin.AsSpan(0, length * half).CopyTo(sin[at..]);
            at += length * half;
        }
    }

    /// <summary>The whole table for texts of at most so many tokens, [positions, half] each.</summary>
    public Rows Table(int positions)
    {
        Rows table = _table;
        int half = inverseFrequencies.Length;
        if (table.Cos.Length >= positions * half)
        {
            return table;
        }

        int rows = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)positions);
        float[] cos = new float[rows * half], sin = new float[rows * half];
        for (int p = 0; p < rows; p++)
        {
            for (int j = 0; j < half; j++)
            {
                (float s, float c) = MathF.SinCos(p * inverseFrequencies[j]);
                cos[(p * half) + j] = c * scaling;
                sin[(p * half) + j] = s * scaling;
            }
        }

        return _table = new Rows(cos, sin);
    }

    /// <summary>A table, [positions, half].</summary>
    internal sealed record Rows(float[] Cos, float[] Sin);
}
