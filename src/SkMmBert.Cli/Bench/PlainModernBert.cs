namespace SkMmBert.Cli;

/// <summary>ModernBERT as an exporter writes it: packed Wqkv and Wi, rotary positions by slices and concatenations, a dense mask for either kind of layer.</summary>
internal static class PlainModernBert
{
    public static byte[] Build(PlainGraph plain)
    {
        (EncoderConfig config, OnnxWriter graph) = (plain.Config, plain.Graph);
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        string h = plain.Norm(graph.Node("Gather", [plain.Tensor("embeddings.tok_embeddings.weight", config.VocabSize, hidden), plain.Ids]), "embeddings.norm.weight"); // [B, S, H]
        string near = Window(plain);
        (string, string) global = Rotary(plain, config.GlobalRope!, "global"), local = Rotary(plain, config.LocalRope!, "local");
        for (int i = 0; i < config.Layers; i++)
        {
            string p = $"layers.{i}.";
            string x = i == 0 ? h : plain.Norm(h, p + "attn_norm.weight");
            string packed = graph.Node("Reshape", [plain.Product(x, p + "attn.Wqkv.weight", 3 * hidden, hidden), graph.Constant("shape_qkv", [5], 0L, 0L, 3L, config.Heads, config.HeadSize)]);
            string turned = graph.Node("Transpose", [packed], ("perm", new[] { 0, 3, 2, 1, 4 }));                       // [B, A, 3, S, D]
            string[] parts = [.. Enumerable.Range(0, 3).Select(part => graph.Node("Squeeze", [plain.Slice(turned, 2, part, part + 1), plain.Line("axis_2", 2)]))];
            (string, string) rope = config.IsGlobal(i) ? global : local;
            string a = plain.Attention(Rotate(plain, parts[0], rope), Rotate(plain, parts[1], rope), parts[2], config.IsGlobal(i) ? plain.Everything : near);
            h = graph.Node("Add", [h, plain.Product(a, p + "attn.Wo.weight", hidden, hidden)]);

            string wide = plain.Product(plain.Norm(h, p + "mlp_norm.weight"), p + "mlp.Wi.weight", 2 * inner, hidden);  // [B, S, 2F]
            string gated = graph.Node("Mul", [plain.Gelu(plain.Slice(wide, 2, 0, inner)), plain.Slice(wide, 2, inner, 2 * inner)]);
            h = graph.Node("Add", [h, plain.Product(gated, p + "mlp.Wo.weight", hidden, inner)]);
        }

        return plain.Finish(plain.Norm(h, "final_norm.weight"));
    }

    // [B, 1, S, S]: what hides padding also hides tokens more than half a window away.
    private static string Window(PlainGraph plain)
    {
        OnnxWriter graph = plain.Graph;
        string rows = graph.Node("Unsqueeze", [plain.Positions, plain.Line("axis_1", 1)]), columns = graph.Node("Unsqueeze", [plain.Positions, plain.Line("axis_0", 0)]);
        string apart = graph.Node("Abs", [graph.Node("Sub", [rows, columns])]);
        return graph.Node("Where", [graph.Node("LessOrEqual", [apart, plain.Whole("half_window", plain.Config.LocalAttention / 2)]), plain.Everything, plain.Hidden]);
    }

    private static (string Cos, string Sin) Rotary(PlainGraph plain, RotaryConfig rope, string name)
    {
        OnnxWriter graph = plain.Graph;
        string at = graph.Node("Unsqueeze", [plain.ToFloat(plain.Positions), plain.Line("axis_1", 1)]);                // [S, 1]
        string angles = graph.Node("Mul", [at, graph.Constant(name + "_frequencies", [1, rope.InverseFrequencies.Length], rope.InverseFrequencies)]);
        string both = graph.Node("Concat", [angles, angles], ("axis", -1));                                             // [S, D]
        string Scaled(string op) => rope.AttentionScaling == 1 ? graph.Node(op, [both]) : graph.Node("Mul", [graph.Node(op, [both]), graph.Constant(name + "_scaling", [], rope.AttentionScaling)]);
        return (Scaled("Cos"), Scaled("Sin"));
    }

    private static string Rotate(PlainGraph plain, string x, (string Cos, string Sin) rope)
    {
        (OnnxWriter graph, int size) = (plain.Graph, plain.Config.HeadSize);
        string turned = graph.Node("Concat", [graph.Node("Neg", [plain.Slice(x, 3, size / 2, size)]), plain.Slice(x, 3, 0, size / 2)], ("axis", -1));
        return graph.Node("Add", [graph.Node("Mul", [x, rope.Cos]), graph.Node("Mul", [turned, rope.Sin])]);
    }
}
