namespace SkMmBert;

/// <summary>How the two sides of the search become one score: each side counts by what the question's words are worth in this catalogue.</summary>
/// <remarks>
/// The weights are fitted so that the softmax of the scores is the chance that a tool is meant (listwise, all data sets counting alike);
/// the command <c>routing fit</c> of the benchmarks prints them, and the table with each family of sets left out of the fit.
/// </remarks>
internal static class ToolMixer
{
    /// <summary>
    /// Weights of: cosine, cosine × share of words known, cosine × share of words met; then, as far as the tools are described,
    /// BM25, BM25 × known, BM25 × met, name, name × known; and BM25 as far as they are bare names.
    /// </summary>
    public static readonly float[] Weights = [1.773f, -2.035f, 1.563f, 0.465f, 0.032f, -0.307f, 1.588f, 2.406f, 1.05f];

    /// <summary>BM25 is divided by this, so that it is of the size of the others.</summary>
    public const float LexicalUnit = 5;

    /// <summary>Writes the score of every tool, [tools].</summary>
    public static void Mix(in ToolScores scores, float described, ReadOnlySpan<float> weights, Span<float> mixed)
    {
        float known = scores.KnownShare, met = scores.MetShare;
        float dense = (weights[0] + (weights[1] * known) + (weights[2] * met)) / scores.DenseSpread;
        float lexical = ((described * (weights[3] + (weights[4] * known) + (weights[5] * met))) + ((1 - described) * weights[8])) / LexicalUnit;
        float names = described * (weights[6] + (weights[7] * known));
        ReadOnlySpan<float> cosines = scores.Dense, words = scores.Lexical, said = scores.Names;
        for (int tool = 0; tool < mixed.Length; tool++)
        {
            mixed[tool] = (dense * (cosines[tool] - scores.DenseMean)) + (lexical * words[tool]) + (names * said[tool]);
        }
    }

    /// <summary>What the weights are multiplied with for one tool, in their order.</summary>
    public static float[] Features(in ToolScores scores, float described, int tool)
    {
        float known = scores.KnownShare, met = scores.MetShare;
        float dense = (scores.Dense[tool] - scores.DenseMean) / scores.DenseSpread, words = scores.Lexical[tool] / LexicalUnit, name = scores.Names[tool] * described;
        return [dense, dense * known, dense * met, words * described, words * described * known, words * described * met, name, name * known, words * (1 - described)];
    }
}
