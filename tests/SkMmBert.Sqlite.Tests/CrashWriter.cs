namespace SkMmBert.Tests;

/// <summary>The process the crash tests kill: it adds batches until it dies, and prints the number of each batch once it is acknowledged.</summary>
internal static class CrashWriter
{
    public const int BatchItems = 7;

    public static async Task<int> RunAsync(string path, int from, int count)
    {
        using SqliteMemoryStore store = new(path);
        try
        {
            await store.BindAsync(MemoryStoreConformance.Hashed.Model);
            for (int batch = from; batch < from + count; batch++)
            {
                await store.AddAsync(Batch(batch));
                Console.WriteLine(batch);
            }
        }
        catch (IOException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }

        return 0;
    }

    public static MemoryItem[] Batch(int batch) => [.. Enumerable.Range(0, BatchItems).Select(i => MemoryStoreConformance.Item($"batch {batch} item {i} says hello to all", id: $"{batch}/{i}"))];
}
