using System.Diagnostics;
using System.Numerics.Tensors;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>A SQLite memory of a given size, in one run: writing, opening, each scan alone, whole recalls, and what they would cost without a funnel.</summary>
internal static class StoreBenchmark
{
    private const int BatchItems = 5_000, Questions = 60, FlatWidth = 768, FlatRows = 250_000;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("Found no file; expected: memory-store FILE [ITEMS] [DIMENSIONS]. A file that is not there is filled first.");
            return 2;
        }

        string path = arguments[0];
        int size = arguments.Length > 1 ? int.Parse(arguments[1]) : 100_000, dimensions = arguments.Length > 2 ? int.Parse(arguments[2]) : 256;
        SyntheticItems items = new(dimensions);
        MemoryOptions options = new() { Tiers = [64, dimensions / 3 / 64 * 64 is >= 128 and int third ? third : dimensions / 2, dimensions] };
        if (!File.Exists(path))
        {
            await FillAsync(path, size, items, options);
        }

        await OpenAsync(path, items, options);
        using SqliteMemoryStore store = new(path);
        AgentMemory memory = new(items, store, options);
        await memory.WarmUpAsync();
        int stored = await memory.CountAsync();
        Console.WriteLine($"{stored} items of {dimensions} numbers; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
        MemorySearch[] asked = [.. Enumerable.Range(0, Questions).Select(q => items.Ask(q))];
        await store.ReadFunnelAsync(funnel =>
        {
            Timed scans = new();
            List<Scored> all = [.. Enumerable.Range(0, funnel.Slots).Select(slot => new Scored(0, slot))];
            VectorFunnel.Fence fence = new([1], 0, uint.MaxValue, null);
            foreach (MemorySearch search in asked)
            {
                scans.Run("coarse scan, signs of all", () => funnel.ScanSigns(search.Vector.Span, FunnelWidths.For(stored, 100).Signs, fence, [], default));
                scans.Run("coarse scan, int8 64 of all", () => funnel.ScanRoute(search.Vector.Span, all, 100, default));
            }

            scans.Print();
            return 0;
        });
        Timed searches = new();
        float[] flat = Flat(stored);
        foreach ((MemorySearch search, int q) in asked.Select((search, q) => (search, q)))
        {
            await searches.RunAsync("search by vectors", () => store.SearchAsync(search with { Text = "" }));
            await searches.RunAsync("search by words", () => store.SearchAsync(search with { Vector = default }));
            await searches.RunAsync("whole recall, vectors", () => memory.RecallAsync(items.Question(q), new() { Words = false }));
            await searches.RunAsync("whole recall", () => memory.RecallAsync(items.Question(q)));
            if (q % 10 == 0)
            {
                searches.Run($"flat float scan, {FlatWidth} numbers, in memory", () => Scan(flat, stored));
                await searches.RunAsync("SQLite and a full scan", () => store.SearchAsync(search with { Text = "", Exact = true }));
            }
        }

        searches.Print();
        double recall = searches.Median("whole recall");
        Console.WriteLine($"resident bytes an item: {store.ResidentBytesPerItem}; whole recall is {searches.Median($"flat float scan, {FlatWidth} numbers, in memory") / recall:F1} times as fast as the flat scan and {searches.Median("SQLite and a full scan") / recall:F0} times as fast as SQLite and a full scan");
        return 0;
    }

    private static async Task FillAsync(string path, int size, SyntheticItems items, MemoryOptions options)
    {
        using SqliteMemoryStore store = new(path);
        await new AgentMemory(items, store, options).WarmUpAsync();
        Stopwatch wall = new();
        TimeSpan processor = default;
        for (int from = 0; from < size; from += BatchItems)
        {
            MemoryItem[] batch = [.. Enumerable.Range(from, Math.Min(BatchItems, size - from)).Select(items.Item)];
            TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
            wall.Start();
            await store.AddAsync(batch);
            wall.Stop();
            processor += Process.GetCurrentProcess().TotalProcessorTime - before;
        }

        Console.WriteLine($"written, embedded before: {size / wall.Elapsed.TotalSeconds:F0} items a second by the clock, {size / processor.TotalSeconds:F0} by processor time; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
    }

    private static async Task OpenAsync(string path, SyntheticItems items, MemoryOptions options)
    {
        Timed opens = new();
        for (int i = 0; i < 5; i++)
        {
            using SqliteMemoryStore opened = new(path);
            AgentMemory memory = new(items, opened, options);
            await items.GenerateAsync(["warm"]);
            await opens.RunAsync("open", () => memory.CountAsync());
        }

        opens.Print();
        Console.WriteLine($"file: {new FileInfo(path).Length / 1e6:F0} MB");
    }

    // As many rows as fit a laptop, gone over until the number of items is reached: the memory is read each time.
    private static float[] Flat(int items)
    {
        float[] rows = new float[(long)Math.Min(items, FlatRows) * FlatWidth];
        Random random = new(2);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = random.NextSingle() - 0.5f;
        }

        return rows;
    }

    private static List<Scored> Scan(float[] rows, int items)
    {
        TopScored best = new(100);
        ReadOnlySpan<float> question = rows.AsSpan(0, FlatWidth);
        int held = rows.Length / FlatWidth;
        for (int i = 0; i < items; i++)
        {
            best.Offer(TensorPrimitives.Dot(question, rows.AsSpan(i % held * FlatWidth, FlatWidth)), i);
        }

        return best.BestFirst();
    }
}
