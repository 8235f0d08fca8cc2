namespace SkMmBert;

/// <summary>How the texts of a batch lie in its tokens, in the form the attention graphs ask for (<see cref="AttentionGraph"/>).</summary>
/// <remarks>Letters: N tokens of all texts, B texts, L longest text, n blocks of 64 queries with the keys around them.</remarks>
internal sealed class BatchShape
{
    private const float Masked = -1e9f;   // finite: a row whose keys are all masked must not become NaN

    public BatchShape(int[] lengths, int hidden, int halfWindow)
    {
        Lengths = lengths;
        Tokens = lengths.Sum();
        Longest = lengths.Max();
        bool equal = lengths.All(length => length == Longest);
        IsPadded = !equal;
        IsFlash = equal && Longest >= AttentionGraph.FlashLength;
        IsBlocks = halfWindow > 0 && Longest > halfWindow + 1;
        DenseShape = [equal ? lengths.Length : 1, equal ? Longest : Tokens, hidden];
        (PadIndex, PadBias, UnpadIndex) = equal ? (new long[1], new float[1], new long[1]) : Pad();
        (BlockQueries, BlockKeys, BlockBias, UnblockIndex, Slices) = IsBlocks ? Blocks(halfWindow) : (new long[1], new long[1], new float[1], new long[1], 1);
    }

    public int[] Lengths { get; }

    public int Tokens { get; }

    public int Longest { get; }

    /// <summary>Lengths differ: whole-text attention runs on padded rows.</summary>
    public bool IsPadded { get; }

    /// <summary>Long texts of one length: whole-text attention keeps no score matrix.</summary>
    public bool IsFlash { get; }

    /// <summary>Some text is longer than the window: window attention runs on blocks.</summary>
    public bool IsBlocks { get; }

    public long[] DenseShape { get; }

    /// <summary>Token of each padded place, [B, L].</summary>
    public long[] PadIndex { get; }

    /// <summary>0 for a token, a large negative number for padding, for every query: [B, 1, L, L] (the kernel does not repeat a single row).</summary>
    public float[] PadBias { get; }

    /// <summary>Padded place of each token, [N].</summary>
    public long[] UnpadIndex { get; }

    /// <summary>Token of each query of each block, [s, n, 64].</summary>
    public long[] BlockQueries { get; }

    /// <summary>Token of each key of each block, [s, n, keys].</summary>
    public long[] BlockKeys { get; }

    /// <summary>0 where a query sees a key, [s, n, 1, 64, keys].</summary>
    public float[] BlockBias { get; }

    /// <summary>Query place of each token, [N].</summary>
    public long[] UnblockIndex { get; }

    /// <summary>Parts of the blocks that are worked on one after the other, s.</summary>
    public int Slices { get; }

    /// <summary>Blocks of one slice, n.</summary>
    public int BlocksPerSlice => IsBlocks ? BlockQueries.Length / AttentionGraph.BlockSize / Slices : 1;

    private (long[] Pad, float[] Bias, long[] Unpad) Pad()
    {
        long[] pad = new long[Lengths.Length * Longest], unpad = new long[Tokens];
        float[] bias = new float[pad.Length * Longest];
        for (int row = 0, start = 0; row < Lengths.Length; start += Lengths[row++])
        {
            for (int i = 0; i < Longest; i++)
            {
                int place = (row * Longest) + i;
                pad[place] = start + Math.Min(i, Lengths[row] - 1);
                if (i < Lengths[row])
                {
                    unpad[start + i] = place;
                }

                bias.AsSpan((place * Longest) + Lengths[row], Longest - Lengths[row]).Fill(Masked);
            }
        }

        return (pad, bias, unpad);
    }

    // Texts of one length get blocks of their own, so that a text's arithmetic is the same wherever it stands in a batch;
    // mixed lengths share blocks that run over the whole stream of tokens, so that short texts do not waste any.
    private (long[] Queries, long[] Keys, float[] Bias, long[] Unblock, int Slices) Blocks(int halfWindow)
    {
        const int size = AttentionGraph.BlockSize;
        int halo = (halfWindow + size - 1) / size * size, keys = size + (2 * halo);
        int stretch = IsPadded ? Tokens : Longest, perStretch = (stretch + size - 1) / size, used = Tokens / stretch * perStretch;
        int slices = (used + AttentionGraph.BlocksPerSlice - 1) / AttentionGraph.BlocksPerSlice, count = (used + slices - 1) / slices * slices;   // all slices have as many blocks
        long[] queryTokens = new long[count * size], keyTokens = new long[count * keys], unblock = new long[Tokens];
        float[] bias = new float[(long)count * size * keys];
        Array.Fill(bias, Masked);

        // first[i], last[i]: the ends of the text that token i belongs to.
        int[] first = new int[Tokens], last = new int[Tokens];
        for (int row = 0, start = 0; row < Lengths.Length; start += Lengths[row++])
        {
            first.AsSpan(start, Lengths[row]).Fill(start);
            last.AsSpan(start, Lengths[row]).Fill(start + Lengths[row] - 1);
        }

        for (int block = 0; block < used; block++)
        {
            int from = block / perStretch * stretch, start = from + (block % perStretch * size), end = from + stretch - 1;
            for (int j = 0; j < keys; j++)
            {
                keyTokens[(block * keys) + j] = Math.Clamp(start - halo + j, from, end);
            }

            for (int i = 0; i < size; i++)
            {
                int place = (block * size) + i, query = Math.Min(start + i, end);
                queryTokens[place] = query;
                if (start + i <= end)
                {
                    unblock[query] = place;
                }

                int firstKey = Math.Max(first[query], query - halfWindow) - start + halo, lastKey = Math.Min(last[query], query + halfWindow) - start + halo;
                bias.AsSpan((place * keys) + firstKey, lastKey - firstKey + 1).Clear();
            }
        }

        return (queryTokens, keyTokens, bias, unblock, slices);
    }
}
