using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Prints how good routing is beside what it replaces, set by set.</summary>
internal static class RoutingQuality
{
    private static readonly string[] s_targets = ["toolbench_stable", "sealtools", "sgd_dev"];

    public static async Task<int> RunAsync(string[] arguments)
    {
        string data = arguments.FirstOrDefault(argument => !argument.StartsWith('-')) ?? "";
        if (!Directory.Exists(data))
        {
            await Console.Error.WriteLineAsync($"There is no folder '{data}'. Expected: the folder of unpacked evaluation sets.");
            return 2;
        }

        int most = arguments.Contains("--all") ? int.MaxValue : 1_500;
        using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed);
        using MmBertModel? scorer = arguments.Contains("--rerank") ? MmBertModel.Open(Path.Combine(BenchmarkPaths.Root, "models", "mini-rerank")) : null;
        using MmBertReranker? reranker = scorer is null ? null : new MmBertReranker(scorer);
        MmBertEmbeddingGenerator embedder = new(model);
        List<RoutingEvaluation.Row> rows = [];
        List<RoutingEvaluation.Lists> lists = [];
        Console.WriteLine("| set | strategy | nDCG@10 | hit@1 | hit@5 | recall@5 | queries | ms |\n|---|---|---|---|---|---|---|---|");
        foreach (RoutingSet set in RoutingSet.All(data).Where(set => set.Queries.Count > 0))
        {
            (IReadOnlyList<RoutingEvaluation.Row> measured, RoutingEvaluation.Lists adaptive) = await RoutingEvaluation.RunAsync(set.Take(most), embedder, reranker, CancellationToken.None);
            foreach (RoutingEvaluation.Row row in measured)
            {
                Print(row.Set, row.Strategy, row.Metrics, row.Milliseconds);
            }

            rows.AddRange(measured);
            lists.Add(adaptive);
        }

        foreach (IGrouping<string, RoutingEvaluation.Row> strategy in rows.Where(row => s_targets.Contains(row.Set.Split('/')[0])).GroupBy(row => row.Strategy))
        {
            Print($"mean of {strategy.Count()} tool sets", strategy.Key, new(strategy.Average(row => row.Metrics.Ndcg10), strategy.Average(row => row.Metrics.Hit1), strategy.Average(row => row.Metrics.Hit5), strategy.Average(row => row.Metrics.Recall5), strategy.Sum(row => row.Metrics.Queries)), strategy.Average(row => row.Milliseconds));
        }

        Console.WriteLine("\n| set | mean length | any fitting | all fitting | any in 7 | all in 7 | abstained |\n|---|---|---|---|---|---|---|");
        foreach (RoutingEvaluation.Lists list in lists.Append(new("mean", lists.Average(list => list.MeanLength), lists.Average(list => list.Any), lists.Average(list => list.All), lists.Average(list => list.FixedAny), lists.Average(list => list.FixedAll), lists.Average(list => list.Abstained))))
        {
            Console.WriteLine($"| {list.Set} | {list.MeanLength:f1} | {list.Any:f3} | {list.All:f3} | {list.FixedAny:f3} | {list.FixedAll:f3} | {list.Abstained:p1} |");
        }

        return 0;
    }

    private static void Print(string set, string strategy, RoutingMetrics metrics, double milliseconds) =>
        Console.WriteLine($"| {set} | {strategy} | {metrics.Ndcg10:f3} | {metrics.Hit1:f3} | {metrics.Hit5:f3} | {metrics.Recall5:f3} | {metrics.Queries} | {milliseconds:f2} |");
}
