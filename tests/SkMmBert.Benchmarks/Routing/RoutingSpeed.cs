using System.Diagnostics;
using Microsoft.Extensions.AI;
using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Times of a decision, of building an index and of opening a saved one; the tools are those of the data sets, varied where more are needed.</summary>
internal static class RoutingSpeed
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        RoutingSet[] sets = [.. RoutingSet.All(arguments.FirstOrDefault() ?? ".").Where(set => set.Tools.Count > 500).DistinctBy(set => set.Tools)];
        ToolProfile[] real = [.. sets.SelectMany(set => set.Tools)];
        string[] questions = [.. sets.SelectMany(set => set.Take(100).Queries).Select(query => query.Text)];
        using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed);
        MmBertEmbeddingGenerator embedder = new(model);
        Console.WriteLine("| tools | build s | MB | reopen s | search min ms | search p50 ms | bytes allocated | whole call p50 ms |\n|---|---|---|---|---|---|---|---|");
        foreach (int count in (int[])[60, 1_000, 10_000])
        {
            ToolProfile[] tools = [.. Enumerable.Range(0, count).Select(i => i < real.Length ? real[i] : Variant(real[i % real.Length], i))];
            long before = GC.GetTotalMemory(true), started = Stopwatch.GetTimestamp();
            ToolRouter router = new(embedder, tools);
            await router.IndexAsync();
            double build = Stopwatch.GetElapsedTime(started).TotalSeconds;
            double megabytes = (GC.GetTotalMemory(true) - before) / 1e6;
            using MemoryStream saved = new();
            router.SaveIndex(saved);
            saved.Position = 0;
            started = Stopwatch.GetTimestamp();
            ToolRouter reopened = new(embedder, tools);
            reopened.LoadIndex(saved);
            await reopened.IndexAsync();
            double reopen = Stopwatch.GetElapsedTime(started).TotalSeconds;

            (_, _, ToolIndex index) = await router.SearchAsync("", 1, CancellationToken.None);
            ToolQuery[] queries = await Task.WhenAll(questions.Select(question => router.EmbedAsync([question], index.Match.Width, CancellationToken.None)));
            ToolHit[] hits = new ToolHit[Math.Min(count, 64)];
            double[] best = new double[queries.Length];
            Array.Fill(best, double.MaxValue);
            long bytes = 0;
            for (int round = 0; round < 20; round++)
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

            List<double> whole = [];
            foreach (string question in questions)
            {
                whole.Add((await router.RouteAsync(question)).Elapsed.TotalMilliseconds);
            }

            Array.Sort(best);
            whole.Sort();
            Console.WriteLine($"| {count} | {build:f2} | {megabytes:f1} | {reopen:f3} | {best[0]:f3} | {best[best.Length / 2]:f3} | {bytes} | {whole[whole.Count / 2]:f2} |");
        }

        return 0;
    }

    private static ToolProfile Variant(ToolProfile tool, int i) => new($"{tool.Name}_v{i}") { Description = $"{tool.Description} (variant {i})", Parameters = tool.Parameters, Keywords = tool.Keywords };
}
