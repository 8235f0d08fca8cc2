using System.Diagnostics;
using SkMmBert.Benchmarks.Layers;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Time taken and agreement with the full order for several budgets, without a calibration and with one made on other queries of the set.</summary>
internal static class RerankDeadlines
{
    private const int CalibrationQueries = 50;

    public static async Task<int> RunAsync(string[] args)
    {
        int queries = args.Length > 1 ? int.Parse(args[1]) : 20;
        ModelPrecision precision = BenchmarkArguments.Precision(args);
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
        Console.WriteLine($"calibrated on {others.Length} other queries: first to layer {learned.EarlyExit}, then a share of {learned.DeadlineShare:0.0} to the last");
        foreach (int budget in (int[])[0, 5, 20, 100, 500, 2000])
        {
            // In turns, so that both meet the same load.
            Outcome plain = new(budget), calibrated = new(budget);
            foreach ((RerankSample query, HashSet<int> best) in full)
            {
                RerankOptions options = reranker.Options with { Effort = RerankEffort.Deadline(TimeSpan.FromMilliseconds(budget)) };
                await plain.MeasureAsync(reranker, query, best, options);
                await calibrated.MeasureAsync(reranker, query, best, options with { Calibration = learned });
            }

            Console.WriteLine($"  budget {budget} ms: {plain}\n      calibrated: {calibrated}");
        }

        return 0;
    }

    /// <summary>What a budget gave, over all queries.</summary>
    private sealed class Outcome(int budget)
    {
        private readonly List<double> _times = [], _overlaps = [], _scored = [], _finished = [];

        public async Task MeasureAsync(MmBertReranker reranker, RerankSample sample, HashSet<int> best, RerankOptions options)
        {
            Stopwatch watch = Stopwatch.StartNew();
            RerankScore[] scores = await reranker.ScoreAsync(sample.Query, sample.Texts, options);
            _times.Add(watch.Elapsed.TotalMilliseconds);
            int[] order = RerankBlend.Sort(scores, [.. scores.Select(score => score.Order)]);
            _overlaps.Add(order.Take(5).Count(best.Contains) / 5.0);
            _scored.Add(scores.Count(score => score.IsScored));
            _finished.Add(scores.Count(score => score.Exit == reranker.Exits[^1]));
        }

        public override string ToString() =>
            $"median {_times.Order().ElementAt(_times.Count / 2):0.0}, worst {_times.Max():0.0} ms, over the limit {_times.Count(time => time > (budget * 1.1) + 5)} of {_times.Count}; overlap of top 5 {_overlaps.Average():0.000}; scored {_scored.Average():0.0}, at the last exit {_finished.Average():0.0}";
    }
}
