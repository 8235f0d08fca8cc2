namespace SkMmBert.Cli;

/// <summary>The parts that plain exports of ModernBERT and BERT share, operator by operator as an exporter writes them.</summary>
/// <remarks>Letters: B texts, S tokens of the longest, A heads, D head size, H hidden.</remarks>
internal sealed class PlainGraph
{
    private const int Opset = 18;
    private const int Float = 1, Bool = 9; // element types of Cast
    private readonly List<(string Tensor, bool Transposed)> _used = [];

    public PlainGraph(EncoderConfig config)
    {
        Config = config;
        Ids = Graph.Input("input_ids", OnnxType.Int64, null, null);
        string mask = Graph.Input("attention_mask", OnnxType.Int64, null, null), shape = Graph.Node("Shape", [Ids]);
        Length = Graph.Node("Gather", [shape, Whole("index_one", 1)]);
        Positions = Graph.Node("Range", [Whole("index_zero", 0), Length, Whole("index_one", 1)]); // [S]
        string keys = Graph.Node("Reshape", [Graph.Node("Cast", [mask], ("to", Bool)), Graph.Constant("shape_keys", [4], 0L, 1L, 1L, -1L)]);
        string square = Graph.Node("Concat",
        [
            Graph.Node("Slice", [shape, Line("from_0", 0), Line("to_1", 1)]), Line("one", 1), Graph.Node("Unsqueeze", [Length, Line("from_0", 0)]), Graph.Node("Unsqueeze", [Length, Line("from_0", 0)]),
        ], ("axis", 0));
        Everything = Graph.Node("Where", [Graph.Node("Expand", [keys, square]), Graph.Constant("seen", [], 0f), Hidden]); // [B, 1, S, S]
    }

    public EncoderConfig Config { get; }

    public OnnxWriter Graph { get; } = new();

    public GraphWeights Weights { get; } = new();

    /// <summary>Tensors of the checkpoint in file order, and whether they are stored transposed.</summary>
    public IReadOnlyList<(string Tensor, bool Transposed)> Used => _used;

    public string Ids { get; }

    public string Length { get; }

    public string Positions { get; }

    /// <summary>The bias that hides padding, [B, 1, S, S].</summary>
    public string Everything { get; }

    public string Hidden => Graph.Constant("hidden_key", [], float.MinValue);

    public byte[] Finish(string states)
    {
        Graph.Output(states, OnnxType.Float, null, null, Config.HiddenSize);
        return Graph.ToModel("plain_export", Opset);
    }

    public string Whole(string name, long value) => Graph.Constant(name, [], value);

    public string Line(string name, long value) => Graph.Constant(name, [1], value);

    /// <summary>A tensor of the checkpoint as it is.</summary>
    public string Tensor(string name, params long[] shape)
    {
        if (!Weights.Has(name))
        {
            Weights.Add(name, OnnxType.Float, shape);
            _used.Add((name, false));
        }

        return Weights.In(Graph, name);
    }

    /// <summary>x·Wᵀ with the whole matrix [rows, columns] of the checkpoint, folded to [columns, rows] as exporters do.</summary>
    public string Product(string x, string name, int rows, int columns)
    {
        Weights.Add(name, OnnxType.Float, columns, rows);
        _used.Add((name, true));
        return Graph.Node("MatMul", [x, Weights.In(Graph, name)]);
    }

    public string Norm(string x, string name, string? bias = null) => Graph.Node("LayerNormalization",
        bias is null ? [x, Tensor(name, Config.HiddenSize)] : [x, Tensor(name, Config.HiddenSize), Tensor(bias, Config.HiddenSize)], ("axis", -1), ("epsilon", Config.NormEps));

    /// <summary>A slice of an axis.</summary>
    public string Slice(string x, int axis, long from, long to) => Graph.Node("Slice", [x, Line($"from_{from}", from), Line($"to_{to}", to), Line($"axis_{axis}", axis)]);

    /// <summary>softmax(q·kᵀ/√D + bias)·v, [B, S, H]; both factors are scaled, as the decomposition of scaled_dot_product_attention does.</summary>
    public string Attention(string q, string k, string v, string bias)
    {
        string scale = Graph.Constant("root_scale", [], (float)Math.Sqrt(1 / Math.Sqrt(Config.HeadSize)));
        string turned = Graph.Node("Transpose", [k], ("perm", new[] { 0, 1, 3, 2 }));
        string scores = Graph.Node("MatMul", [Graph.Node("Mul", [q, scale]), Graph.Node("Mul", [turned, scale])]);     // [B, A, S, S]
        string weights = Graph.Node("Softmax", [Graph.Node("Add", [scores, bias])], ("axis", -1));
        string mixed = Graph.Node("Transpose", [Graph.Node("MatMul", [weights, v])], ("perm", new[] { 0, 2, 1, 3 }));   // [B, S, A, D]
        return Graph.Node("Reshape", [mixed, Graph.Constant("shape_merged", [3], 0L, 0L, Config.HiddenSize)]);
    }

    /// <summary>The exact GELU, x·(1 + erf(x/√2))·½.</summary>
    public string Gelu(string x)
    {
        string erf = Graph.Node("Erf", [Graph.Node("Div", [x, Graph.Constant("root_2", [], MathF.Sqrt(2))])]);
        return Graph.Node("Mul", [Graph.Node("Mul", [x, Graph.Node("Add", [erf, Graph.Constant("one_float", [], 1f)])]), Graph.Constant("half", [], 0.5f)]);
    }

    public string ToFloat(string x) => Graph.Node("Cast", [x], ("to", Float));
}
