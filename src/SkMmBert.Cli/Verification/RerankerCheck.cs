namespace SkMmBert.Cli;

/// <summary>Checks of a reranker without a conformance file: the pair its card publishes, and what must hold for any.</summary>
internal static class RerankerCheck
{
    // The published scores come from 16-bit weights and are given to four digits.
    private const double PublishedTolerance = 0.02, Tolerance = 1e-4;

    public static async Task<List<ConformanceCase>> RunAsync(MmBertModel model, CancellationToken cancellationToken)
    {
        using MmBertReranker reranker = new(model);
        CardPair pair = CardPair.Of(model.Manifest.Folder);
        List<ConformanceCase> cases = [];
        void Add(string name, double difference, double allowed) => cases.Add(new(model.Manifest.Id, name, true, double.IsFinite(difference) ? difference : double.MaxValue, allowed));

        IReadOnlyDictionary<string, float[]> together = await reranker.ScoreEveryHeadAsync(pair.Query, [pair.Relevant, pair.Irrelevant], null, cancellationToken);
        IReadOnlyDictionary<string, float[]> first = await reranker.ScoreEveryHeadAsync(pair.Query, [pair.Relevant], null, cancellationToken), second = await reranker.ScoreEveryHeadAsync(pair.Query, [pair.Irrelevant], null, cancellationToken);
        Add($"all {together.Count} heads give numbers", together.Values.All(scores => scores.All(float.IsFinite)) ? 0 : double.MaxValue, 0);
        Add("a text beside another scores as alone", together.Max(head => Math.Max(Math.Abs(head.Value[0] - first[head.Key][0]), Math.Abs(head.Value[1] - second[head.Key][0]))), Tolerance);
        if (pair.Published is (double relevant, double irrelevant))
        {
            float[] last = together[Last(reranker)];
            Add(Invariant($"the card's pair: {relevant}"), Math.Abs(Sigmoid(last[0]) - relevant), PublishedTolerance);
            Add(Invariant($"the card's pair: {irrelevant}"), Math.Abs(Sigmoid(last[1]) - irrelevant), PublishedTolerance);
        }

        return cases;
    }

    /// <summary>The head of the last exit and the full width.</summary>
    public static string Last(MmBertReranker reranker) => $"{reranker.Exits.Max()}.{reranker.Dimensions.Max()}";

    public static double Sigmoid(float logit) => 1 / (1 + Math.Exp(-logit));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
