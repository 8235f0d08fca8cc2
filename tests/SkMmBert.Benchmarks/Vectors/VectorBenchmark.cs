using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace SkMmBert.Benchmarks.Vectors;

/// <summary>Memory of the generator over very many texts, and the cost of comparing vectors.</summary>
internal static class VectorBenchmark
{
    /// <summary>Peak memory of one call over COUNT texts of mixed length, beside what its results hold.</summary>
    public static async Task<int> RunMemoryAsync(string[] args)
    {
        int count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        using MmBertModel model = MmBertModel.Open(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", "models", "mini-embed"));
        MmBertEmbeddingGenerator generator = new(model);
        EmbeddingGenerationOptions options = new EmbeddingGenerationOptions { Dimensions = 64 }.WithExit(1);
        await generator.GenerateAsync(Texts(500), options);
        GC.Collect();
        long before = Megabytes(PeakBytes());
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        Stopwatch watch = Stopwatch.StartNew();
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(Texts(count), options);
        double seconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
        long peak = Megabytes(PeakBytes());
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        long kept = Megabytes(GC.GetTotalMemory(forceFullCollection: true));
        Console.WriteLine(FormattableString.Invariant(
            $"{{\"texts\":{found.Count},\"tokens\":{found.Usage!.InputTokenCount},\"cpu_seconds\":{seconds:0.0},\"wall_seconds\":{watch.Elapsed.TotalSeconds:0.0},\"peak_mb_after_500_texts\":{before},\"peak_mb\":{peak},\"results_mb\":{kept}}}"));
        GC.KeepAlive(found);
        return 0;
    }

    /// <summary>Nanoseconds of one comparison in each form, the least of several rounds.</summary>
    public static Task<int> RunSimilarityAsync()
    {
        Random random = new(1);
        foreach (int dimensions in new[] { 64, 256, 768 })
        {
            float[] a = [.. Enumerable.Range(0, dimensions).Select(_ => (float)random.NextDouble() - 0.5f)], b = [.. a.Reverse()];
            sbyte[] x = new sbyte[dimensions], y = new sbyte[dimensions];
            Quantization.ToInt8(a, x);
            Quantization.ToInt8(b, y);
            Console.WriteLine(FormattableString.Invariant(
                $"{{\"dimensions\":{dimensions},\"float_ns\":{Time(() => Similarity.Dot(a, b)):0.0},\"int8_ns\":{Time(() => Similarity.Dot(x, y)):0.0},\"int8_plain_ns\":{Time(() => Similarity.DotPlain(x, y)):0.0}}}"));
        }

        return Task.FromResult(0);
    }

    private static double Time(Func<float> run)
    {
        const int Times = 200_000;
        double least = double.MaxValue;
        for (int round = 0; round < 9; round++)
        {
            long started = Stopwatch.GetTimestamp();
            float sum = 0;
            for (int i = 0; i < Times; i++)
            {
                sum += run();
            }

            least = Math.Min(least, Stopwatch.GetElapsedTime(started).TotalNanoseconds / Times);
            GC.KeepAlive(sum);
        }

        return least;
    }

    private static IEnumerable<string> Texts(int count)
    {
        Random random = new(7);
        string[] words = ["train", "weather", "Bern", "meeting", "東京", "morgen", "invoice", "queue", "mañana", "temperature"];
        for (int i = 0; i < count; i++)
        {
            // Mostly short, one in two hundred very long.
            int length = i % 200 == 199 ? random.Next(500, 3_000) : random.Next(1, 30);
            yield return string.Join(' ', Enumerable.Range(0, length).Select(_ => words[random.Next(words.Length)]));
        }
    }

    private static long PeakBytes() => Process.GetCurrentProcess().PeakWorkingSet64;

    private static long Megabytes(long bytes) => bytes / (1 << 20);
}
