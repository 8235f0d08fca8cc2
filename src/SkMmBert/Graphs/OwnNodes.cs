namespace SkMmBert;

/// <summary>Nodes of our own operators, where the processor has 512-bit instructions (<see cref="AttentionForm.Own"/>).</summary>
/// <remarks>Letters: N tokens of all texts, H hidden, F feed-forward, D head size. <c>texts</c> is an input of every graph of this form: the number of texts, then the first token of each and the end.</remarks>
internal sealed class OwnNodes(OnnxWriter graph, GraphWeights weights, EncoderConfig config)
{
    /// <summary>Names of the operators.</summary>
    public const string Attention = "Attention", Round = "Round", Gate = "Gate";

    private const string Texts = "texts";

    /// <summary>Whether whole int8 layers can be written with them.</summary>
    public static bool CanRound(EncoderConfig config) => config.HiddenSize % 16 == 0 && config.IntermediateSize % 16 == 0;

    /// <summary>Attention; q, k and v as the products give them.</summary>
    /// <param name="q">Queries, [N, H] or [1, N, H].</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="rope">Cosines and sines of each position, [positions, D/2]; none for no rotation.</param>
    /// <param name="scale">A factor of each token's query, key and value, [N, 1]; null for none.</param>
    /// <param name="halfWindow">How far a token sees; 0 for the whole text.</param>
    /// <param name="coarse">Whether the scores of long texts may be products of 13-bit integers.</param>
    public string Attend(string q, string k, string v, string[] rope, string? scale, int halfWindow, bool coarse)
    {
        string[] rest = scale is not null ? [rope[0], rope[1], scale] : rope;
        return graph.OwnNode(Attention, [q, k, v, Texts, .. rest], 1, ("num_heads", config.Heads), ("head_size", config.HeadSize), ("half_window", halfWindow), ("is_coarse", coarse ? 1 : 0))[0];
    }

    /// <summary>Tokens in bytes, ready for int8 products.</summary>
    public LinearGraph.Rows Rounded(string x)
    {
        string[] outputs = graph.OwnNode(Round, [x, Texts], 2, ("width", config.HiddenSize), ("epsilon_bits", 0));
        return new LinearGraph.Rows(outputs[0], outputs[1], () => Flat(x));
    }

    /// <summary>The layer norm of tokens in bytes.</summary>
    public LinearGraph.Rows Normed(string x, string weight)
    {
        string[] outputs = graph.OwnNode(Round, [x, Texts, weights.In(graph, weight)], 2, ("width", config.HiddenSize), ("epsilon_bits", Bits(config.NormEps)));
        return new LinearGraph.Rows(outputs[0], outputs[1], () => Flat(ModernBertGraph.Norm(graph, weights, x, weight, config.NormEps)));
    }

    /// <summary>The sum of tokens and a product that lacks its row factor, and the sum's layer norm in bytes.</summary>
    public (string Sum, LinearGraph.Rows Rows) NormedSum(string x, string product, string factor, string weight)
    {
        string[] outputs = graph.OwnNode(Round, [x, Texts, weights.In(graph, weight), product, factor], 3, ("width", config.HiddenSize), ("epsilon_bits", Bits(config.NormEps)));
        return (outputs[2], new LinearGraph.Rows(outputs[0], outputs[1], () => Flat(ModernBertGraph.Norm(graph, weights, outputs[2], weight, config.NormEps))));
    }

    /// <summary>gelu(a)·b of two products that lack their row factor, in bytes; the scale holds b's factor.</summary>
    public LinearGraph.Rows Gated(string a, string b, string factor)
    {
        string[] outputs = graph.OwnNode(Gate, [a, b, factor, Texts], 2, ("width", config.IntermediateSize));
        return new LinearGraph.Rows(outputs[0], outputs[1], () => graph.Node("Mul", [graph.MicrosoftNode("Gelu", [graph.Node("Mul", [a, factor])]), graph.Node("Mul", [b, factor])]));
    }

    private string Flat(string x) => graph.Node("Reshape", [x, graph.Constant("shape_flat", [2], -1L, config.HiddenSize)]);

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);
}
