using System.Diagnostics;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Time taken and agreement with the full order for several budgets.</summary>
internal static class RerankDeadlines
{
    public static async Task<int> RunAsync(string[] args)
    {
        int queries = args.Length > 1 ? int.Parse(args[1]) : 20;
        ModelPrecision precision = args.Length > 2 && args[2] == "int8" ? ModelPrecision.Int8 : ModelPrecision.Fp32;
        using MmBertModel embed = RerankTables.Open("mini-embed", ModelPrecision.Fp32), rerank = RerankTables.Open("mini-rerank", precision);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = 256 });
        DevSet set = DevSet.Load(args[0], "toolbench_stable").Sample(queries);
        FirstStage first = new(embed, set.Texts);
        RerankSample[] samples = [.. set.Queries.Select(query => first.Search(query.Query, query.Gains, 100))];
        await reranker.ScoreAsync("warm", ["up"]);
        List<(RerankSample Sample, HashSet<int> Full)> full = [];
        Stopwatch watch = Stopwatch.StartNew();
        foreach (RerankSample sample in samples)
        {
            RerankScore[] scores = await reranker.ScoreAsync(sample.Query, sample.Texts, reranker.Options);
            full.Add((sample, [.. Enumerable.Range(0, scores.Length).OrderByDescending(text => scores[text].Order).Take(5)]));
        }

        Console.WriteLine($"full: {watch.Elapsed.TotalMilliseconds / samples.Length:0.0} ms a query, {samples.Average(sample => sample.Texts.Count):0} texts");
        foreach (int budget in (int[])[0, 5, 20, 100, 500, 2000])
        {
            List<double> times = [];
            double overlap = 0, scored = 0, finished = 0;
            foreach ((RerankSample sample, HashSet<int> best) in full)
            {
                watch.Restart();
                RerankScore[] scores = await reranker.ScoreAsync(sample.Query, sample.Texts, reranker.Options with { Effort = RerankEffort.Deadline(TimeSpan.FromMilliseconds(budget)) });
                times.Add(watch.Elapsed.TotalMilliseconds);
                int[] order = RerankBlend.Sort(scores, [.. scores.Select(score => score.Order)]);
                overlap += order.Take(5).Count(best.Contains) / 5.0;
                scored += scores.Count(score => score.IsScored);
                finished += scores.Count(score => score.Exit == reranker.Exits[^1]);
            }

            times.Sort();
            Console.WriteLine($"budget {budget} ms: median {times[times.Count / 2]:0.0}, worst {times[^1]:0.0} ms, over the limit {times.Count(time => time > (budget * 1.1) + 5)} of {times.Count}; overlap of top 5 {overlap / full.Count:0.000}; scored {scored / full.Count:0.0}, at the last exit {finished / full.Count:0.0}");
        }

        return 0;
    }
}
