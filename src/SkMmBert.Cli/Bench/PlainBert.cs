namespace SkMmBert.Cli;

/// <summary>BERT as an exporter writes it.</summary>
internal static class PlainBert
{
    public static byte[] Build(PlainGraph plain)
    {
        (EncoderConfig config, OnnxWriter graph) = (plain.Config, plain.Graph);
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        string tokens = graph.Node("Gather", [plain.Tensor("embeddings.word_embeddings.weight", config.VocabSize, hidden), plain.Ids]);                    // [B, S, H]
        string places = graph.Node("Gather", [plain.Tensor("embeddings.position_embeddings.weight", config.MaxPositions, hidden), plain.Positions]);       // [S, H]
        string type = graph.Node("Gather", [plain.Tensor("embeddings.token_type_embeddings.weight", config.TokenTypes, hidden), plain.Whole("index_zero", 0)]);
        string h = plain.Norm(graph.Node("Add", [graph.Node("Add", [tokens, type]), places]), "embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias");
        string heads = graph.Constant("shape_heads", [4], 0L, 0L, config.Heads, config.HeadSize);
        for (int i = 0; i < config.Layers; i++)
        {
            string p = $"encoder.layer.{i}.";
            string Dense(string x, string name, int rows, int columns) => graph.Node("Add", [plain.Product(x, $"{p}{name}.weight", rows, columns), plain.Tensor($"{p}{name}.bias", rows)]);
            string Head(string name) => graph.Node("Transpose", [graph.Node("Reshape", [Dense(h, "attention.self." + name, hidden, hidden), heads])], ("perm", new[] { 0, 2, 1, 3 })); // [B, A, S, D]
            string a = Dense(plain.Attention(Head("query"), Head("key"), Head("value"), plain.Everything), "attention.output.dense", hidden, hidden);
            h = plain.Norm(graph.Node("Add", [a, h]), p + "attention.output.LayerNorm.weight", p + "attention.output.LayerNorm.bias");
            string wide = plain.Gelu(Dense(h, "intermediate.dense", inner, hidden));
            h = plain.Norm(graph.Node("Add", [Dense(wide, "output.dense", hidden, inner), h]), p + "output.LayerNorm.weight", p + "output.LayerNorm.bias");
        }

        return plain.Finish(h);
    }
}
