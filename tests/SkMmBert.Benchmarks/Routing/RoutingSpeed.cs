using System.Diagnostics;
using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Times of a decision, of building an index and of opening a saved one; the tools are those of the data sets, varied where more are needed.</summary>
/// <remarks>A search is timed by the least of its rounds on one thread; everything else also by the processor time of the whole process, which a busy machine stretches less.</remarks>
internal static class RoutingSpeed
{
    private const int Rounds = 20;

    public static async Task<int> RunAsync(string[] arguments)
    {
        RoutingSet[] sets = [.. RoutingSet.All(arguments.FirstOrDefault() ?? ".").Where(set => set.Tools.Count > 500).DistinctBy(set => set.Tools)];
        ToolProfile[] real = [.. sets.SelectMany(set => set.Tools)];
        string[] questions = [.. sets.SelectMany(set => set.Take(100).Queries).Select(query => query.Text)];
        using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed);
        MmBertEmbeddingGenerator embedder = new(model);
        Console.WriteLine($"{Environment.ProcessorCount} processors, load average {(File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown")}; (c): processor time");
        Console.WriteLine("| tools | build s | build (c) | index MB | saved MB | reopen s | reopen (c) | search p50 ms | search p95 ms | bytes a search | whole call p50 ms | whole call (c) ms |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (int count in (int[])[60, 1_000, 10_000])
        {
            ToolProfile[] tools = [.. Enumerable.Range(0, count).Select(i => i < real.Length ? real[i] : Variant(real[i % real.Length], i))];
            long before = GC.GetTotalMemory(true);
            ToolRouter router = new(embedder, tools);
            (double build, double buildProcessor) = await SecondsAsync(() => router.IndexAsync());
            double megabytes = (GC.GetTotalMemory(true) - before) / 1e6;
            using MemoryStream saved = new();
            router.SaveIndex(saved);
            saved.Position = 0;
            (double reopen, double reopenProcessor) = await SecondsAsync(() =>
            {
                ToolRouter reopened = new(embedder, tools);
                reopened.LoadIndex(saved);
                return reopened.IndexAsync();
            });
            (double[] searches, long bytes) = await SearchAsync(router, questions, count);
            List<double> whole = [];
            (_, double wholeProcessor) = await SecondsAsync(async () =>
            {
                foreach (string question in questions)
                {
                    whole.Add((await router.RouteAsync(question)).Elapsed.TotalMilliseconds);
                }
            });
            whole.Sort();
            Console.WriteLine($"| {count:N0} | {build:f2} | {buildProcessor:f2} | {megabytes:f1} | {saved.Length / 1e6:f1} | {reopen:f3} | {reopenProcessor:f3} | {searches[searches.Length / 2]:f3} | {searches[searches.Length * 95 / 100]:f3} | {bytes} | {whole[whole.Count / 2]:f2} | {wholeProcessor * 1000 / whole.Count:f2} |");
        }

        return 0;
    }

    // The least time of each question over the rounds, sorted, and what the last round allocated.
    private static async Task<(double[] Milliseconds, long Bytes)> SearchAsync(ToolRouter router, string[] questions, int count)
    {
        (_, _, ToolIndex index, _) = await router.SearchAsync("", 1, CancellationToken.None);
        ToolQuery[] queries = await Task.WhenAll(questions.Select(question => router.EmbedAsync([question], index.Match.Width, CancellationToken.None)));
        ToolHit[] hits = new ToolHit[Math.Min(count, ToolSearch.Candidates)];
        double[] best = new double[queries.Length];
        Array.Fill(best, double.MaxValue);
        long bytes = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < queries.Length; i++)
            {
                long at = Stopwatch.GetTimestamp();
                ToolSearch.Run(index, queries[i], ToolMixer.Weights, hits);
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(at).TotalMilliseconds);
            }

            bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }

        Array.Sort(best);
        return (best, bytes);
    }

    private static async Task<(double Wall, double Processor)> SecondsAsync(Func<Task> run)
    {
        using Process process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        await run();
        double wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        return (wall, (process.TotalProcessorTime - before).TotalSeconds);
    }

    public static ToolProfile Variant(ToolProfile tool, int i) => new($"{tool.Name}_v{i}") { Description = $"{tool.Description} (variant {i})", Parameters = tool.Parameters, Keywords = tool.Keywords };
}
