using System.Diagnostics;
using Microsoft.Extensions.AI;
using SkMmBert.Benchmarks.Layers;
using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Times of opening a saved index of 10,000 tools, part by part; the vectors are random ones, since what they say costs nothing.</summary>
internal static class RoutingReopen
{
    private const int Tools = 10_000, Width = 256, Rounds = 7;

    public static async Task<int> RunAsync(string[] arguments)
    {
        ToolProfile[] real = [.. RoutingSet.All(arguments.FirstOrDefault() ?? ".").Where(set => set.Tools.Count > 500).DistinctBy(set => set.Tools).SelectMany(set => set.Tools)];
        ToolProfile[] tools = [.. Enumerable.Range(0, Tools).Select(i => i < real.Length ? real[i] : RoutingSpeed.Variant(real[i % real.Length], i))];
        RandomVectors embedder = new();
        ToolRouter router = new(embedder, tools);
        await router.IndexAsync();
        string file = Path.GetTempFileName();
        try
        {
            using (FileStream stream = File.Create(file))
            {
                router.SaveIndex(stream);
            }

            double[] clock = new double[4], processor = new double[4];
            Array.Fill(clock, double.MaxValue);
            Array.Fill(processor, double.MaxValue);
            for (int round = 0; round < Rounds; round++)
            {
                using Process process = Process.GetCurrentProcess();
                (long Clock, TimeSpan Processor)[] marks = new (long, TimeSpan)[4];
                marks[0] = Mark();
                ToolRouter reopened = new(embedder, tools);
                marks[1] = Mark();
                using (FileStream stream = File.OpenRead(file))
                {
                    reopened.LoadIndex(stream);
                }

                marks[2] = Mark();
                await reopened.IndexAsync();
                marks[3] = Mark();
                for (int part = 0; part < 4; part++)
                {
                    (int from, int to) = part < 3 ? (part, part + 1) : (0, 3);
                    clock[part] = Math.Min(clock[part], Stopwatch.GetElapsedTime(marks[from].Clock, marks[to].Clock).TotalMilliseconds);
                    processor[part] = Math.Min(processor[part], (marks[to].Processor - marks[from].Processor).TotalMilliseconds);
                }

                (long, TimeSpan) Mark()
                {
                    process.Refresh();
                    return (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
                }
            }

            Console.WriteLine($"{Tools:N0} tools, {new FileInfo(file).Length / 1e6:f1} MB, load average {Cpu.Load()}; the least of {Rounds} rounds, ms by the clock and by the processor");
            Console.WriteLine($"| part | clock | processor |\n|---|--:|--:|\n| profiles | {clock[0]:f0} | {processor[0]:f0} |\n| file | {clock[1]:f0} | {processor[1]:f0} |\n| index | {clock[2]:f0} | {processor[2]:f0} |\n| whole | {clock[3]:f0} | {processor[3]:f0} |");
        }
        finally
        {
            File.Delete(file);
        }

        return 0;
    }

    private sealed class RandomVectors : IEmbeddingGenerator<string, Embedding<float>>
    {
        private readonly Random _random = new(1);

        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(_ => new Embedding<float>(Enumerable.Range(0, Width).Select(_ => _random.NextSingle() - 0.5f).ToArray()))));

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
