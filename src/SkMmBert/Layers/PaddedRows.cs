namespace SkMmBert;

/// <summary>A batch as a rectangle, short rows filled up at the right: the form published graphs take.</summary>
internal static class PaddedRows
{
    /// <summary>The values of an input, [rows, longest].</summary>
    public static long[] Of(TokenBatch batch, int longest, InputRole role, int padId)
    {
        long[] values = new long[batch.Rows * longest];
        for (int row = 0, start = 0; row < batch.Rows; start += batch.Lengths[row++])
        {
            for (int i = 0; i < longest; i++)
            {
                bool text = i < batch.Lengths[row];
                values[(row * longest) + i] = role switch
                {
                    InputRole.Ids => text ? batch.Ids[start + i] : padId,
                    InputRole.Mask => text ? 1 : 0,
                    InputRole.Positions => i,
                    _ => 0,
                };
            }
        }

        return values;
    }

    /// <summary>States [rows, longest, width] without those of the filled places, [tokens, width]; the same array where no place was filled.</summary>
    public static float[] Without(float[] states, int[] lengths, int longest)
    {
        if (Array.TrueForAll(lengths, length => length == longest))
        {
            return states;
        }

        int width = states.Length / lengths.Length / longest, at = 0;
        float[] kept = new float[lengths.Sum() * width];
        for (int row = 0; row < lengths.Length; row++)
        {
            states.AsSpan(row * longest * width, lengths[row] * width).CopyTo(kept.AsSpan(at));
            at += lengths[row] * width;
        }

        return kept;
    }
}
