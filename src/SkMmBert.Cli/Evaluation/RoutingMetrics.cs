namespace SkMmBert.Cli;

/// <summary>How good ranked lists are.</summary>
/// <param name="Ndcg10">Mean nDCG over the first ten.</param>
/// <param name="Hit1">Share of questions whose first tool fits.</param>
/// <param name="Hit5">Share of questions with a fitting tool among the first five.</param>
/// <param name="Recall5">Mean share of the fitting tools (at most five) among the first five.</param>
/// <param name="Queries">Number of questions.</param>
internal readonly record struct RoutingMetrics(double Ndcg10, double Hit1, double Hit5, double Recall5, int Queries)
{
    public static RoutingMetrics Of(IReadOnlyList<(IReadOnlyList<int> Ranked, IReadOnlyCollection<int> Relevant)> lists)
    {
        double ndcg = 0, hit1 = 0, hit5 = 0, recall5 = 0;
        foreach ((IReadOnlyList<int> ranked, IReadOnlyCollection<int> relevant) in lists)
        {
            double gain = 0, ideal = 0;
            int found = 0;
            for (int i = 0; i < 10; i++)
            {
                ideal += i < relevant.Count ? 1 / Math.Log2(i + 2) : 0;
                bool fits = i < ranked.Count && relevant.Contains(ranked[i]);
                gain += fits ? 1 / Math.Log2(i + 2) : 0;
                found += fits && i < 5 ? 1 : 0;
                hit1 += fits && i == 0 ? 1 : 0;
            }

            ndcg += gain / ideal;
            hit5 += found > 0 ? 1 : 0;
            recall5 += (double)found / Math.Min(5, relevant.Count);
        }

        int n = Math.Max(1, lists.Count);
        return new(ndcg / n, hit1 / n, hit5 / n, recall5 / n, lists.Count);
    }
}
