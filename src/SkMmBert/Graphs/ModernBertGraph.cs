namespace SkMmBert;

/// <summary>ModernBERT (Warner et al. 2024, arXiv:2412.13663; transformers/models/modernbert): layers <c>from</c> to <c>to</c> as one graph, hidden states in and out.</summary>
/// <remarks>
/// Letters: N tokens of all texts, H hidden, F feed-forward. The embedding (a look-up and a layer norm) and <c>final_norm</c> with pooling are outside.
/// <code>
/// x = i == 0 ? h : norm(h, n1)
/// h = h + attention(rope(x·wq), rope(x·wk), x·wv)·wo          every third layer over the whole text, the others within the window
/// h = h + (gelu(y·wi) * (y·wg))·w2,  y = norm(h, n2)
/// </code>
/// </remarks>
internal static class ModernBertGraph
{
    /// <summary>Lists the weights of one layer in the form the graph uses.</summary>
    public static IEnumerable<LayerWeight> Weights(EncoderConfig config, int layer)
    {
        int h = config.HiddenSize, f = config.IntermediateSize;
        string p = $"layers.{layer}.";
        if (layer > 0)
        {
            yield return LayerWeight.Vector($"{layer}.n1", p + "attn_norm.weight", h);
        }

        yield return LayerWeight.Matrix($"{layer}.wq", p + "attn.Wqkv.weight", 3 * h, h, 0, h);
        yield return LayerWeight.Matrix($"{layer}.wk", p + "attn.Wqkv.weight", 3 * h, h, h, h);
        yield return LayerWeight.Matrix($"{layer}.wv", p + "attn.Wqkv.weight", 3 * h, h, 2 * h, h);
        yield return LayerWeight.Matrix($"{layer}.wo", p + "attn.Wo.weight", h, h, 0, h);
        yield return LayerWeight.Vector($"{layer}.n2", p + "mlp_norm.weight", h);
        yield return LayerWeight.Matrix($"{layer}.wi", p + "mlp.Wi.weight", 2 * f, h, 0, f);
        yield return LayerWeight.Matrix($"{layer}.wg", p + "mlp.Wi.weight", 2 * f, h, f, f);
        yield return LayerWeight.Matrix($"{layer}.w2", p + "mlp.Wo.weight", h, f, 0, h);
    }

    /// <summary>Writes the graph of layers <paramref name="from"/> (first run) to <paramref name="to"/> (not run any more).</summary>
    public static byte[] Build(EncoderConfig config, GraphWeights weights, int from, int to, ModelPrecision precision, AttentionForm form)
    {
        OnnxWriter graph = new();
        int hidden = config.HiddenSize, half = config.HeadSize / 2;
        AttentionGraph.AddInputs(graph, hidden, form, blocks: true);
        string[] global = [graph.Input("global_cos", OnnxType.Float, null, half), graph.Input("global_sin", OnnxType.Float, null, half)];
        string[] local = [graph.Input("local_cos", OnnxType.Float, null, half), graph.Input("local_sin", OnnxType.Float, null, half)];
        AttentionGraph attention = new(graph, hidden, config.Heads);
        LinearGraph linear = new(graph, weights, precision);
        string packed = graph.Constant("shape_packed", [3], 1L, -1L, hidden);

        string h = "hidden"; // [1, N, H]
        OwnNodes own = new(graph, weights, config);
        if (form == AttentionForm.Own && precision == ModelPrecision.Int8 && OwnNodes.CanRound(config))
        {
            graph.Output(OwnInt8(graph, config, linear, own, h, from, to, global, local), OnnxType.Float, 1, null, hidden);
            return graph.ToModel($"layers_{from}_{to}");
        }

        for (int i = from; i < to; i++)
        {
            string x = i == 0 ? h : Norm(graph, weights, h, $"{i}.n1", config.NormEps);
            LinearGraph.Rows rows = linear.Prepare(x, hidden);
            string[] rope = config.IsGlobal(i) ? global : local;
            (string q, string k, string v) = (linear.Bare(rows, $"{i}.wq"), linear.Bare(rows, $"{i}.wk"), linear.Bare(rows, $"{i}.wv"));
            string a;
            if (form == AttentionForm.Own)
            {
                a = own.Attend(q, k, v, rope, rows.Scale, config.IsGlobal(i) ? 0 : config.LocalAttention / 2, coarse: precision == ModelPrecision.Int8 && config.IsGlobal(i));
            }
            else
            {
                (q, k, v) = (Rope(graph, q, rope, rows.Scale, packed, config.Heads), Rope(graph, k, rope, rows.Scale, packed, config.Heads), Packed(graph, linear.Scaled(v, rows.Scale), rows.Scale, packed));
                a = config.IsGlobal(i) ? attention.Global(q, k, v) : attention.Local(q, k, v);
            }

            h = graph.Node("Add", [h, Packed(graph, linear.Product(linear.Prepare(a, hidden), $"{i}.wo"), rows.Scale, packed)]);

            rows = linear.Prepare(Norm(graph, weights, h, $"{i}.n2", config.NormEps), hidden);
            string gelu = graph.MicrosoftNode("Gelu", [linear.Product(rows, $"{i}.wi")]);
            string gated = graph.Node("Mul", [gelu, linear.Bare(rows, $"{i}.wg")]);                 // [N, F], short of the gate's row factor
            LinearGraph.Rows inner = linear.Prepare(gated, config.IntermediateSize);
            string down = linear.Bare(inner, $"{i}.w2");
            h = graph.Node("Add", [h, Packed(graph, inner.Scale is null ? down : linear.Scaled(down, graph.Node("Mul", [inner.Scale, rows.Scale!])), rows.Scale, packed)]);
        }

        graph.Output(h, OnnxType.Float, 1, null, hidden);
        return graph.ToModel($"layers_{from}_{to}");
    }

    // The same layers in int8 with our own operators: each norm, sum and gate leaves bytes for the next product.
    private static string OwnInt8(OnnxWriter graph, EncoderConfig config, LinearGraph linear, OwnNodes own, string h, int from, int to, string[] global, string[] local)
    {
        LinearGraph.Rows rows = from == 0 ? own.Rounded(h) : own.Normed(h, $"{from}.n1");
        for (int i = from; ; i++)
        {
            bool whole = config.IsGlobal(i);
            string a = own.Attend(linear.Bare(rows, $"{i}.wq"), linear.Bare(rows, $"{i}.wk"), linear.Bare(rows, $"{i}.wv"), whole ? global : local, rows.Scale, whole ? 0 : config.LocalAttention / 2, coarse: whole);
            LinearGraph.Rows attended = own.Rounded(a);
            (h, rows) = own.NormedSum(h, linear.Bare(attended, $"{i}.wo"), attended.Scale!, $"{i}.n2");
            LinearGraph.Rows gated = own.Gated(linear.Bare(rows, $"{i}.wi"), linear.Bare(rows, $"{i}.wg"), rows.Scale!);
            string down = linear.Bare(gated, $"{i}.w2");
            if (i + 1 == to)
            {
                return graph.Node("Add", [h, graph.Node("Mul", [down, gated.Scale!])]);
            }

            (h, rows) = own.NormedSum(h, down, gated.Scale!, $"{i + 1}.n1");
        }
    }

    /// <summary>The layer norm, which has no bias here.</summary>
    internal static string Norm(OnnxWriter graph, GraphWeights weights, string x, string weight, float eps)
        => graph.Node("LayerNormalization", [x, weights.In(graph, weight)], ("axis", -1), ("epsilon", eps));

    // Half-split rotation (GPT-NeoX) with one row of cosines per token; in int8 the row factor of the product rides on the cosines.
    private static string Rope(OnnxWriter graph, string x, string[] rope, string? scale, string packed, int heads)
    {
        string cos = scale is null ? rope[0] : graph.Node("Mul", [rope[0], scale]);
        string sin = scale is null ? rope[1] : graph.Node("Mul", [rope[1], scale]);
        return graph.MicrosoftNode("RotaryEmbedding", [Packed(graph, x, scale, packed), graph.Constant("position_zero", [1], 0L), cos, sin], ("num_heads", heads));
    }

    // int8 products are [N, out]; everything else is [1, N, out].
    private static string Packed(OnnxWriter graph, string x, string? scale, string shape) => scale is null ? x : graph.Node("Reshape", [x, shape]);
}
