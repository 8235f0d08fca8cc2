namespace SkMmBert;

/// <summary>Attention over the texts of a batch in the forms that are fastest for its shape; which one runs is decided per run by two flags.</summary>
/// <remarks>
/// Letters: N tokens of all texts, H hidden, B texts, L longest text, n blocks. Tokens always come as [1, N, H], without padding.
/// <list type="bullet">
/// <item>dense (all texts of one length): reshaped to [B, L, H]; no mask, so that the flash kernel can run on long ones;</item>
/// <item>padded (mixed lengths): gathered to [B, L, H] with a bias over padding keys, and gathered back;</item>
/// <item>blocks (window attention of long texts): 64 queries against the 192 keys around them, the bias keeps texts and window apart;</item>
/// <item>own (where the processor has 512-bit instructions): one operator for all of these, which rotates and scales as it reads and knows where each text begins.</item>
/// </list>
/// </remarks>
internal sealed class AttentionGraph(OnnxWriter graph, int hidden, int heads)
{
    /// <summary>Queries of one block; the keys are the block and as many tokens on either side as half a window rounded up to blocks.</summary>
    public const int BlockSize = 64;

    /// <summary>Most blocks worked on at a time.</summary>
    public const int BlocksPerSlice = 8;

    /// <summary>From this length on, the flash kernel is faster than the one that writes all scores.</summary>
    public const int FlashLength = 512;

    /// <summary>The name of our own operator.</summary>
    public const string OwnOperator = "Attention";

    private readonly string _flat = graph.Constant("shape_flat", [2], -1L, hidden);
    private readonly string _packed = graph.Constant("shape_packed", [3], 1L, -1L, hidden);

    /// <summary>Adds the inputs that describe a batch's shape.</summary>
    public static void AddInputs(OnnxWriter graph, int hidden, AttentionForm form, bool blocks)
    {
        graph.Input("hidden", OnnxType.Float, 1, null, hidden);
        if (form == AttentionForm.Own)
        {
            graph.Input("texts", OnnxType.Int64, (long?)null);
            return;
        }

        graph.Input("is_padded", OnnxType.Bool);
        graph.Input("is_flash", OnnxType.Bool);
        graph.Input("dense_shape", OnnxType.Int64, 3);
        graph.Input("pad_index", OnnxType.Int64, null, null);
        graph.Input("pad_bias", OnnxType.Float, null, 1, null, null);
        graph.Input("unpad_index", OnnxType.Int64, (long?)null);
        if (blocks)
        {
            graph.Input("is_blocks", OnnxType.Bool);
            graph.Input("block_queries", OnnxType.Int64, null, null, null);
            graph.Input("block_keys", OnnxType.Int64, null, null, null);
            graph.Input("block_bias", OnnxType.Float, null, null, 1, null, null);
            graph.Input("unblock_index", OnnxType.Int64, (long?)null);
        }
    }

    /// <summary>Every token sees every token of its text.</summary>
    public string Global(string q, string k, string v) => graph.If("is_padded", g => Padded(g, q, k, v), g => Dense(g, q, k, v));

    /// <summary>Every token sees the tokens of its text within half a window.</summary>
    public string Local(string q, string k, string v) => graph.If("is_blocks", g => Blocks(g, q, k, v), g => g.If("is_padded", p => Padded(p, q, k, v), d => Dense(d, q, k, v)));

    /// <summary>Attention as our own operator; q, k and v as the products give them.</summary>
    /// <param name="q">Queries, [N, H] or [1, N, H].</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="rope">Cosines and sines of each position, [positions, D/2]; none for no rotation.</param>
    /// <param name="scale">A factor of each token's query, key and value, [N, 1]; null for none.</param>
    /// <param name="halfWindow">How far a token sees; 0 for the whole text.</param>
    /// <param name="coarse">Whether the scores of long texts may be products of 13-bit integers.</param>
    public string Own(string q, string k, string v, string[] rope, string? scale, int halfWindow, bool coarse)
    {
        string[] rest = scale is not null ? [rope[0], rope[1], scale] : rope;
        return graph.OwnNode(OwnOperator, [q, k, v, "texts", .. rest], ("num_heads", heads), ("head_size", hidden / heads), ("half_window", halfWindow), ("is_coarse", coarse ? 1 : 0));
    }

    private string Dense(OnnxWriter g, string q, string k, string v)
    {
        string qd = g.Node("Reshape", [q, "dense_shape"]), kd = g.Node("Reshape", [k, "dense_shape"]), vd = g.Node("Reshape", [v, "dense_shape"]); // [B, L, H]
        string a = g.If("is_flash", f => f.MicrosoftNode("MultiHeadAttention", [qd, kd, vd], ("num_heads", heads)), p => Attention(p, qd, kd, vd));
        return g.Node("Reshape", [a, _packed]);
    }

    private string Padded(OnnxWriter g, string q, string k, string v)
    {
        string a = Attention(g, Rows(g, q, "pad_index"), Rows(g, k, "pad_index"), Rows(g, v, "pad_index"), "pad_bias"); // [B, L, H]
        return g.Node("Reshape", [Rows(g, a, "unpad_index"), _packed]);
    }

    // A few blocks at a time, so that the repeated keys stay in the cache and long texts need little memory.
    private string Blocks(OnnxWriter g, string q, string k, string v)
    {
        string qf = g.Node("Reshape", [q, _flat]), kf = g.Node("Reshape", [k, _flat]), vf = g.Node("Reshape", [v, _flat]); // [N, H]
        string a = g.Scan(["block_queries", "block_keys", "block_bias"], [OnnxType.Int64, OnnxType.Int64, OnnxType.Float], (body, slice) =>
        {
            string Rows(string x, string index) => body.Node("Gather", [x, index], ("axis", 0));
            return Attention(body, Rows(qf, slice[0]), Rows(kf, slice[1]), Rows(vf, slice[1]), slice[2]); // [blocks of the slice, 64, H]
        });
        return g.Node("Reshape", [Rows(g, a, "unblock_index"), _packed]);
    }

    private string Rows(OnnxWriter g, string x, string index) => g.Node("Gather", [g.Node("Reshape", [x, _flat]), index], ("axis", 0));

    private string Attention(OnnxWriter g, string q, string k, string v, string? bias = null)
        => g.Node("Attention", bias is null ? [q, k, v] : [q, k, v, bias], ("q_num_heads", heads), ("kv_num_heads", heads));
}
