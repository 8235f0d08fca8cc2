using System.Diagnostics;
using System.Numerics.Tensors;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Writing, opening and searching a SQLite memory of a given size.</summary>
internal static class StoreBenchmark
{
    public static int Run(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("Found no file; expected: memory-store NEW-FILE [ITEMS] [DIMENSIONS].");
            return 2;
        }

        string path = arguments[0];
        int size = arguments.Length > 1 ? int.Parse(arguments[1]) : 100_000, dimensions = arguments.Length > 2 ? int.Parse(arguments[2]) : 256;
        MemoryModel model = new("bench", $"bench/{dimensions}", [64, dimensions / 2, dimensions]);
        Random random = new(1);
        string[] vocabulary = [.. Enumerable.Range(0, 30_000).Select(i => $"w{i * 7919L % 1_000_003:x}")];
        float[][] centres = [.. Enumerable.Range(0, 2_000).Select(_ => Gaussian(random, dimensions))];
        TimeSpan processor = default;
        using (SqliteMemoryStore store = new(path))
        {
            store.BindAsync(model).GetAwaiter().GetResult();
            Stopwatch wall = Stopwatch.StartNew();
            for (int from = 0; from < size; from += 5_000)
            {
                MemoryItem[] batch = [.. Enumerable.Range(from, Math.Min(5_000, size - from)).Select(i => Item(i, random, vocabulary, centres))];
                TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
                wall.Start();
                store.AddAsync(batch).GetAwaiter().GetResult();
                wall.Stop();
                processor += Process.GetCurrentProcess().TotalProcessorTime - before;
            }

            Console.WriteLine($"{{\"items\":{size},\"dimensions\":{dimensions},\"items_a_second_processor\":{size / processor.TotalSeconds:F0},\"items_a_second\":{size / wall.Elapsed.TotalSeconds:F0}}}");
        }

        List<double> opens = [];
        for (int i = 0; i < 3; i++)
        {
            using SqliteMemoryStore opened = new(path);
            long start = Stopwatch.GetTimestamp();
            opened.BindAsync(model).GetAwaiter().GetResult();
            opens.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        using SqliteMemoryStore again = new(path);
        again.BindAsync(model).GetAwaiter().GetResult();
        List<double> funnel = [], words = [], both = [], exact = [];
        for (int q = 0; q < 40; q++)
        {
            MemoryItem like = Item(q, random, vocabulary, centres);
            MemorySearch search = new() { Vector = like.Vector, Text = string.Join(' ', like.Text.Split(' ').Take(6)), Scopes = [MemoryScope.Shared], Take = 100 };
            Time(again, search with { Text = "" }, funnel);
            Time(again, search with { Vector = default }, words);
            Time(again, search, both);
            if (q % 8 == 0)
            {
                Time(again, search with { Text = "", Exact = true }, exact);
            }
        }

        Console.WriteLine(
            $"{{\"items\":{size},\"open_ms\":{opens.Min():F0},\"file_mb\":{new FileInfo(path).Length / 1e6:F0},\"bytes_an_item_resident\":{again.ResidentBytesPerItem}," +
            $"\"vectors_ms_min\":{funnel.Min():F1},\"vectors_ms_p50\":{Median(funnel):F1},\"words_ms_p50\":{Median(words):F1},\"both_ms_min\":{both.Min():F1},\"both_ms_p50\":{Median(both):F1},\"full_scan_ms_min\":{exact.Min():F0},\"full_scan_ms_p50\":{Median(exact):F0}}}");
        return 0;
    }

    private static void Time(SqliteMemoryStore store, MemorySearch search, List<double> times)
    {
        long start = Stopwatch.GetTimestamp();
        store.SearchAsync(search).GetAwaiter().GetResult();
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    private static double Median(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }

    // Words as frequent as in language (Zipf), vectors in clusters.
    private static MemoryItem Item(int i, Random random, string[] vocabulary, float[][] centres)
    {
        float[] centre = centres[random.Next(centres.Length)], noise = Gaussian(random, centre.Length), vector = new float[centre.Length];
        for (int k = 0; k < vector.Length; k++)
        {
            vector[k] = (centre[k] + (0.7f * noise[k])) / MathF.Sqrt(1 + (k / 32f));
        }

        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        return new MemoryItem
        {
            Id = $"{i}", Text = string.Join(' ', Enumerable.Range(0, 14).Select(_ => vocabulary[(int)(vocabulary.Length * Math.Pow(random.NextDouble(), 4))])),
            Scope = MemoryScope.Shared, Time = DateTimeOffset.UnixEpoch.AddSeconds(i), Vector = vector,
        };
    }

    private static float[] Gaussian(Random random, int length) =>
        [.. Enumerable.Range(0, length).Select(_ => (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() + random.NextDouble() - 2))];
}
