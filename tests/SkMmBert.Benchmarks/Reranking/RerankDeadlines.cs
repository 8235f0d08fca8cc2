using System.Diagnostics;
using SkMmBert.Benchmarks.Layers;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Time taken and agreement with the full order for several budgets, without a calibration and with one made on other queries of the set.</summary>
internal static class RerankDeadlines
{
    private const int CalibrationQueries = 60;

    public static async Task<int> RunAsync(string[] args)
    {
        int queries = args.Length > 1 ? int.Parse(args[1]) : 20;
        ModelPrecision precision = args.Contains("int8") ? ModelPrecision.Int8 : ModelPrecision.Fp32;
        using MmBertModel embed = RerankTables.Open("mini-embed", ModelPrecision.Fp32), rerank = RerankTables.Open("mini-rerank", precision);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = 256 });
        DevSet set = DevSet.Load(args[0], "toolbench_stable"), sample = set.Sample(queries);
        FirstStage first = new(embed, set.Texts);
        RerankSample[] samples = [.. sample.Queries.Select(query => first.Search(query.Query, query.Gains, 100))];
        HashSet<string> measured = [.. samples.Select(query => query.Query)];
        RerankSample[] others = [.. set.Sample(CalibrationQueries + queries).Queries.Where(query => !measured.Contains(query.Query)).Take(CalibrationQueries).Select(query => first.Search(query.Query, query.Gains, 100))];
        RerankCalibration learned = await RerankCalibration.FitAsync(reranker, others);
        List<(RerankSample Sample, HashSet<int> Full)> full = [];
        Stopwatch watch = Stopwatch.StartNew();
        foreach (RerankSample query in samples)
        {
            RerankScore[] scores = await reranker.ScoreAsync(query.Query, query.Texts, reranker.Options);
            full.Add((query, [.. Enumerable.Range(0, scores.Length).OrderByDescending(text => scores[text].Order).Take(5)]));
        }

        Console.WriteLine($"full: {watch.Elapsed.TotalMilliseconds / samples.Length:0.0} ms a query, {samples.Average(query => query.Texts.Count):0} texts, {queries} queries, load {Cpu.Load()}");
        foreach (RerankCalibration? calibration in (RerankCalibration?[])[null, learned])
        {
            Console.WriteLine(calibration is null ? "not calibrated" : $"calibrated on {others.Length} other queries: first to layer {calibration.EarlyExit}");
            foreach (int budget in (int[])[0, 5, 20, 100, 500, 2000])
            {
                await MeasureAsync(reranker, full, budget, reranker.Options with { Effort = RerankEffort.Deadline(TimeSpan.FromMilliseconds(budget)), Calibration = calibration });
            }
        }

        return 0;
    }

    private static async Task MeasureAsync(MmBertReranker reranker, List<(RerankSample Sample, HashSet<int> Full)> full, int budget, RerankOptions options)
    {
        List<double> times = [];
        double overlap = 0, scored = 0, finished = 0;
        foreach ((RerankSample sample, HashSet<int> best) in full)
        {
            Stopwatch watch = Stopwatch.StartNew();
            RerankScore[] scores = await reranker.ScoreAsync(sample.Query, sample.Texts, options);
            times.Add(watch.Elapsed.TotalMilliseconds);
            int[] order = RerankBlend.Sort(scores, [.. scores.Select(score => score.Order)]);
            overlap += order.Take(5).Count(best.Contains) / 5.0;
            scored += scores.Count(score => score.IsScored);
            finished += scores.Count(score => score.Exit == reranker.Exits[^1]);
        }

        times.Sort();
        Console.WriteLine($"  budget {budget} ms: median {times[times.Count / 2]:0.0}, worst {times[^1]:0.0} ms, over the limit {times.Count(time => time > (budget * 1.1) + 5)} of {times.Count}; overlap of top 5 {overlap / full.Count:0.000}; scored {scored / full.Count:0.0}, at the last exit {finished / full.Count:0.0}");
    }
}
