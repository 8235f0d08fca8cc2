namespace SkMmBert;

/// <summary>BERT (Devlin et al. 2018, arXiv:1810.04805): layers <c>from</c> to <c>to</c> as one graph, hidden states in and out.</summary>
/// <remarks>
/// Every layer ends in its layer norm, so an exit needs no further one:
/// <code>
/// h = norm(h + attention(h·wq + bq, h·wk + bk, h·wv + bv)·wo + bo)
/// h = norm(h + gelu(h·wi + bi)·w2 + b2)
/// </code>
/// </remarks>
internal static class BertGraph
{
    /// <summary>Lists the weights of one layer in the form the graph uses.</summary>
    public static IEnumerable<LayerWeight> Weights(EncoderConfig config, int layer)
    {
        int h = config.HiddenSize, f = config.IntermediateSize;
        string p = $"encoder.layer.{layer}.";
        (string Name, string Tensor, int Out, int In)[] products =
        [
            ("wq", "attention.self.query", h, h), ("wk", "attention.self.key", h, h), ("wv", "attention.self.value", h, h),
            ("wo", "attention.output.dense", h, h), ("wi", "intermediate.dense", f, h), ("w2", "output.dense", h, f),
        ];
        foreach ((string name, string tensor, int rows, int columns) in products)
        {
            yield return LayerWeight.Matrix($"{layer}.{name}", $"{p}{tensor}.weight", rows, columns, 0, rows);
            yield return LayerWeight.Vector($"{layer}.{name}.bias", $"{p}{tensor}.bias", rows);
        }

        foreach ((string name, string tensor) in new[] { ("n1", "attention.output.LayerNorm"), ("n2", "output.LayerNorm") })
        {
            yield return LayerWeight.Vector($"{layer}.{name}", $"{p}{tensor}.weight", h);
            yield return LayerWeight.Vector($"{layer}.{name}.bias", $"{p}{tensor}.bias", h);
        }
    }

    /// <summary>Writes the graph of layers <paramref name="from"/> (first run) to <paramref name="to"/> (not run any more).</summary>
    public static byte[] Build(EncoderConfig config, GraphWeights weights, int from, int to, ModelPrecision precision, AttentionForm form)
    {
        OnnxWriter graph = new();
        int hidden = config.HiddenSize;
        AttentionGraph.AddInputs(graph, hidden, form, blocks: false);
        AttentionGraph attention = new(graph, hidden, config.Heads);
        LinearGraph linear = new(graph, weights, precision);
        string packed = graph.Constant("shape_packed", [3], 1L, -1L, hidden);
        string Dense(LinearGraph.Rows x, string name) => graph.Node("Add", [linear.Product(x, name), weights.In(graph, name + ".bias")]);
        string Packed(string x) => precision == ModelPrecision.Int8 ? graph.Node("Reshape", [x, packed]) : x;
        string Norm(string x, string name) => graph.Node("LayerNormalization", [x, weights.In(graph, name), weights.In(graph, name + ".bias")], ("axis", -1), ("epsilon", config.NormEps));

        string h = "hidden"; // [1, N, H]
        for (int i = from; i < to; i++)
        {
            LinearGraph.Rows rows = linear.Prepare(h, hidden);
            (string q, string k, string v) = (Packed(Dense(rows, $"{i}.wq")), Packed(Dense(rows, $"{i}.wk")), Packed(Dense(rows, $"{i}.wv")));
            string a = form == AttentionForm.Own ? attention.Own(q, k, v, [], null, halfWindow: 0, coarse: precision == ModelPrecision.Int8) : attention.Global(q, k, v);
            h = Norm(graph.Node("Add", [h, Packed(Dense(linear.Prepare(a, hidden), $"{i}.wo"))]), $"{i}.n1");
            string inner = graph.MicrosoftNode("Gelu", [Dense(linear.Prepare(h, hidden), $"{i}.wi")]);
            h = Norm(graph.Node("Add", [h, Packed(Dense(linear.Prepare(inner, config.IntermediateSize), $"{i}.w2"))]), $"{i}.n2");
        }

        graph.Output(h, OnnxType.Float, 1, null, hidden);
        return graph.ToModel($"layers_{from}_{to}");
    }
}
