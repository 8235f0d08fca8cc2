using System.Globalization;
using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Fits the weights of the mix, and says what they would be and do with each family of sets left out.</summary>
internal static class RoutingFit
{
    private const int Candidates = 40, Most = 800, Steps = 150;
    private const double Ridge = 1e-3, Rate = 0.08;

    /// <summary>The candidates of one question: features of each, and which fit.</summary>
    private sealed record Question(float[][] Features, bool[] Fits, int[] Tools, RoutingQuery Query);

    public static async Task<int> RunAsync(string[] arguments)
    {
        using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed);
        using MemoEmbedder embedder = new(new MmBertEmbeddingGenerator(model));
        List<(string Family, string Set, List<Question> Questions)> sets = [];
        foreach (RoutingSet set in RoutingSet.All(arguments.FirstOrDefault() ?? ".").Where(set => set.Queries.Count > 0).Select(set => set.Take(Most)))
        {
            sets.Add((set.Name.Split('/')[0], set.Name, await QuestionsAsync(set, embedder)));
        }

        double[] all = Fit(sets.Select(set => (set.Family, set.Questions)));
        Console.WriteLine("weights " + string.Join(", ", all.Select(weight => weight.ToString("f3", CultureInfo.InvariantCulture))));
        Console.WriteLine("| set | shipped | fitted on all | family left out |\n|---|---|---|---|");
        double[] shipped = [.. ToolMixer.Weights];
        foreach ((string family, string name, List<Question> questions) in sets)
        {
            double[] without = Fit(sets.Where(set => set.Family != family).Select(set => (set.Family, set.Questions)));
            Console.WriteLine($"| {name} | {Ndcg(questions, shipped):f3} | {Ndcg(questions, all):f3} | {Ndcg(questions, without):f3} |");
        }

        return 0;
    }

    private static async Task<List<Question>> QuestionsAsync(RoutingSet set, MemoEmbedder embedder)
    {
        ToolRouter router = new(embedder, set.Tools);
        foreach (string[] texts in set.Queries.SelectMany(query => ToolQuery.Sentences(ToolQuery.Cut(query.Text)).Append(ToolQuery.Cut(query.Text))).Chunk(512))
        {
            await embedder.VectorsAsync(texts, CancellationToken.None);
        }

        (_, _, ToolIndex index, _) = await router.SearchAsync("", 1, CancellationToken.None);
        List<Question> questions = [];
        foreach (RoutingQuery query in set.Queries)
        {
            ToolQuery embedded = await router.EmbedAsync([query.Text], index.Match.Width, CancellationToken.None);
            using ToolScores scores = ToolScores.Of(index, embedded);
            int[] tools = [.. Best(scores.Dense).Concat(Best(scores.Lexical)).Distinct()];
            float[][] features = [.. tools.Select(tool => ToolMixer.Features(scores, index.Described, tool))];
            questions.Add(new Question(features, [.. tools.Select(query.Relevant.Contains)], tools, query));
        }

        return questions;
    }

    private static IEnumerable<int> Best(ReadOnlySpan<float> scores)
    {
        float[] negative = scores.ToArray();
        int[] order = [.. Enumerable.Range(0, negative.Length)];
        Array.Sort(negative.Select(score => -score).ToArray(), order);
        return order.Take(Candidates);
    }

    // Listwise: the softmax of the candidates' scores against an even share for those that fit; every family counts alike; Adam; every other question.
    private static double[] Fit(IEnumerable<(string Family, List<Question> Questions)> sets)
    {
        var families = sets.GroupBy(set => set.Family).Select(family => family.SelectMany(set => set.Questions.Where((question, i) => i % 2 == 0 && question.Fits.Contains(true))).ToList()).ToList();
        int length = ToolMixer.Weights.Length;
        double[] weights = new double[length], first = new double[length], second = new double[length], gradient = new double[length];
        weights[0] = 0.7;
        for (int step = 1; step <= Steps; step++)
        {
            Array.Clear(gradient);
            foreach (List<Question> family in families)
            {
                double share = 1.0 / (families.Count * family.Count);
                foreach (Question question in family)
                {
                    double[] chances = [.. question.Features.Select(features => Score(features, weights))];
                    double most = chances.Max(), sum = 0;
                    for (int i = 0; i < chances.Length; i++)
                    {
                        sum += chances[i] = Math.Exp(chances[i] - most);
                    }

                    int fitting = question.Fits.Count(fits => fits);
                    for (int i = 0; i < chances.Length; i++)
                    {
                        double error = share * ((chances[i] / sum) - (question.Fits[i] ? 1.0 / fitting : 0));
                        for (int k = 0; k < length; k++)
                        {
                            gradient[k] += error * question.Features[i][k];
                        }
                    }
                }
            }

            for (int k = 0; k < length; k++)
            {
                double slope = gradient[k] + (Ridge * weights[k]);
                first[k] = (0.9 * first[k]) + (0.1 * slope);
                second[k] = (0.99 * second[k]) + (0.01 * slope * slope);
                weights[k] -= Rate * (first[k] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(second[k] / (1 - Math.Pow(0.99, step))) + 1e-9);
            }
        }

        return weights;
    }

    private static double Ndcg(List<Question> questions, double[] weights) => RoutingMetrics.Of([.. questions.Select(question =>
    {
        double[] scores = [.. question.Features.Select(features => -Score(features, weights))];
        int[] tools = [.. question.Tools];
        Array.Sort(scores, tools);
        return ((IReadOnlyList<int>)tools, question.Query.Relevant);
    })]).Ndcg10;

    private static double Score(float[] features, double[] weights)
    {
        double sum = 0;
        for (int k = 0; k < weights.Length; k++)
        {
            sum += weights[k] * features[k];
        }

        return sum;
    }
}
