using System.Diagnostics;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>How soon a cancelled run of the full-size model ends for its caller, and how long its threads go on computing after that.</summary>
internal static class CancelBenchmark
{
    private const int Tries = 12;

    private static readonly TimeSpan Still = TimeSpan.FromMilliseconds(50);

    public static async Task<int> RunAsync(string[] args)
    {
        Console.WriteLine("| precision | tokens | cancelled runs | caller waits, ms: half, at most | processor ms afterwards: half, at most | load |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (ModelPrecision precision in BenchmarkArguments.Precisions(args))
        {
            using MmBertModel model = SpeedBenchmark.Open(precision, null);
            foreach (int length in BenchmarkArguments.Numbers(args, 2_048, 8_192))
            {
                (List<double> waits, List<double> after) = await MeasureAsync(model, length).ConfigureAwait(false);
                Console.WriteLine($"| {precision} | {length} | {waits.Count} | {waits[waits.Count / 2]:F0}, {waits[^1]:F0} | {after[after.Count / 2]:F0}, {after[^1]:F0} | {Cpu.Load()} |");
            }
        }

        return 0;
    }

    // Both ascending.
    private static async Task<(List<double> Waits, List<double> After)> MeasureAsync(MmBertModel model, int length)
    {
        TokenBatch batch = TokenBatch.Of(SpeedBenchmark.Text(new Random(1), length)), opening = TokenBatch.Of(SpeedBenchmark.Text(new Random(1), 1_024));
        model.Run(opening, 22, default).Dispose();   // its sessions are those of a long text
        Random random = new(2);
        (List<double> waits, List<double> after) = ([], []);
        for (int i = 0; i < Tries; i++)
        {
            using CancellationTokenSource source = new();
            Task run = Task.Run(() => model.Run(batch, 22, source.Token).Dispose());
            await Task.Delay(50 + random.Next(length / 2)).ConfigureAwait(false);
            long asked = Stopwatch.GetTimestamp();
            await source.CancelAsync().ConfigureAwait(false);
            try
            {
                await run.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                waits.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
                after.Add(await ProcessorUntilStillAsync().ConfigureAwait(false));
            }
        }

        waits.Sort();
        after.Sort();
        return (waits, after);
    }

    private static async Task<double> ProcessorUntilStillAsync()
    {
        TimeSpan start = Environment.CpuUsage.TotalTime, before, now = start;
        do
        {
            before = now;
            await Task.Delay(Still).ConfigureAwait(false);
            now = Environment.CpuUsage.TotalTime;
        }
        while ((now - before).TotalMilliseconds > 5);
        return (before - start).TotalMilliseconds;
    }
}
