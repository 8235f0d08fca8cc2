namespace SkMmBert;

/// <summary>The matrix products of a layer in fp32 or int8.</summary>
/// <remarks>
/// In int8 each token (row) has its own scale, max|x| / 127, and each weight column its own, so that a vector never depends on the other texts of a batch.
/// A product then lacks its row factor. It is put back where that is free: into the cosines for queries and keys, and into the next row scale for the GeGLU gate;
/// elsewhere it is one multiplication.
/// </remarks>
internal sealed class LinearGraph(OnnxWriter graph, GraphWeights weights, ModelPrecision precision)
{
    private readonly bool _int8 = precision == ModelPrecision.Int8;

    /// <summary>Tokens ready to be multiplied: the values, in int8 their row scales [N, 1], and how the values before rounding, [N, in], are written where they are needed.</summary>
    internal readonly record struct Rows(string Values, string? Scale, Func<string> Exact);

    /// <summary>Prepares tokens for several products.</summary>
    public Rows Prepare(string x, int width)
    {
        if (!_int8)
        {
            return new Rows(x, null, () => x);
        }

        string flat = graph.Node("Reshape", [x, graph.Constant($"shape_{width}", [2], -1L, width)]);     // [N, in]
        string most = graph.Node("ReduceMax", [graph.Node("Abs", [flat]), graph.Constant("last_axis", [1], 1L)], ("keepdims", 1)); // [N, 1]
        string scale = graph.Node("Mul", [graph.Node("Max", [most, graph.Constant("least", [1], 1e-12f)]), graph.Constant("per_127", [1], 1f / 127f)]);
        string scales = graph.Node("Reshape", [scale, graph.Constant("shape_line", [1], -1L)]);
        string zeros = graph.Node("Expand", [graph.Constant("zero_point", [1], 128), graph.Node("Shape", [scales])]);
        return new Rows(graph.Node("QuantizeLinear", [flat, scales, zeros], ("axis", 0)), scale, () => flat);
    }

    /// <summary>x·W without the row factor of int8.</summary>
    public string Bare(Rows x, string weight)
    {
        string w = weights.In(graph, weight);
        return x.Scale is null ? graph.Node("MatMul", [x.Values, w])
            : !weights.Has(weight + ".scale") ? graph.Node("Div", [graph.Node("MatMul", [x.Exact(), w]), x.Scale])   // a matrix that stays in fp32
            : graph.MicrosoftNode("MatMulIntegerToFloat", [x.Values, w, graph.Constant("one", [], 1f), weights.In(graph, weight + ".scale"), graph.Constant("zero_point_a", [], 128)]);
    }

    /// <summary>x·W.</summary>
    public string Product(Rows x, string weight) => Scaled(Bare(x, weight), x.Scale);

    /// <summary>y with its row factor put back.</summary>
    public string Scaled(string y, string? scale) => scale is null ? y : graph.Node("Mul", [y, scale]);
}
