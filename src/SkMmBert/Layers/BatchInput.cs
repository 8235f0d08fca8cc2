namespace SkMmBert;

/// <summary>One input of a stretch of layers besides the hidden states: what the attention graphs must know of a batch.</summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Values">long[], float[] or bool[], row-major.</param>
/// <param name="Shape">Its dimensions; empty for a single value.</param>
internal sealed record BatchInput(string Name, Array Values, long[] Shape)
{
    /// <summary>All inputs of a batch; those of forms that do not run hold a single unused value.</summary>
    /// <param name="form">How attention is written into the graph.</param>
    /// <param name="lengths">Tokens of each text.</param>
    /// <param name="config">The model.</param>
    /// <param name="globalRope">Rotary position of global layers; null in BERT.</param>
    /// <param name="localRope">Rotary position of local layers; null in BERT.</param>
    public static IEnumerable<BatchInput> Of(AttentionForm form, int[] lengths, EncoderConfig config, RopeTable? globalRope, RopeTable? localRope)
        => form == AttentionForm.Own ? Own(lengths, config, globalRope, localRope) : Standard(lengths, config, globalRope, localRope);

    private static IEnumerable<BatchInput> Own(int[] lengths, EncoderConfig config, RopeTable? globalRope, RopeTable? localRope)
    {
        long[] texts = new long[lengths.Length + 2];
        texts[0] = lengths.Length;
        for (int i = 0; i < lengths.Length; i++)
        {
            texts[i + 2] = texts[i + 1] + lengths[i];
        }

        yield return new("texts", texts, [texts.Length]);
        if (globalRope is null || localRope is null)
        {
            yield break;
        }

        int half = config.HeadSize / 2;
        foreach ((string name, RopeTable table) in new[] { ("global", globalRope), ("local", localRope) })
        {
            RopeTable.Rows rows = table.Table(lengths.Max());
            yield return new(name + "_cos", rows.Cos, [rows.Cos.Length / half, half]);
            yield return new(name + "_sin", rows.Sin, [rows.Sin.Length / half, half]);
        }
    }

    private static IEnumerable<BatchInput> Standard(int[] lengths, EncoderConfig config, RopeTable? globalRope, RopeTable? localRope)
    {
        BatchShape shape = new(lengths, config.HiddenSize, globalRope is null ? 0 : config.LocalAttention / 2);
        int rows = lengths.Length, longest = shape.Longest;
        yield return new("is_padded", new[] { shape.IsPadded }, []);
        yield return new("is_flash", new[] { shape.IsFlash }, []);
        yield return new("dense_shape", shape.DenseShape, [3]);
        yield return new("pad_index", shape.PadIndex, shape.IsPadded ? [rows, longest] : [1, 1]);
        yield return new("pad_bias", shape.PadBias, shape.IsPadded ? [rows, 1, longest, longest] : [1, 1, 1, 1]);
        yield return new("unpad_index", shape.UnpadIndex, [shape.UnpadIndex.Length]);
        if (globalRope is null || localRope is null)
        {
            yield break;
        }

        int slices = shape.Slices, blocks = shape.BlocksPerSlice, queries = shape.BlockQueries.Length / slices / blocks, keys = shape.BlockKeys.Length / slices / blocks;
        yield return new("is_blocks", new[] { shape.IsBlocks }, []);
        yield return new("block_queries", shape.BlockQueries, [slices, blocks, queries]);
        yield return new("block_keys", shape.BlockKeys, [slices, blocks, keys]);
        yield return new("block_bias", shape.BlockBias, [slices, blocks, 1, queries, keys]);
        yield return new("unblock_index", shape.UnblockIndex, [shape.UnblockIndex.Length]);
        int half = config.HeadSize / 2;
        foreach ((string name, RopeTable table) in new[] { ("global", globalRope), ("local", localRope) })
        {
            float[] cos = new float[shape.Tokens * half], sin = new float[shape.Tokens * half];
            table.Write(lengths, cos, sin);
            yield return new(name + "_cos", cos, [shape.Tokens, half]);
            yield return new(name + "_sin", sin, [shape.Tokens, half]);
        }
    }
}
