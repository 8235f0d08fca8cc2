using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Makes the index of a catalogue: one build at a time, only unknown texts embedded, the last few catalogues kept.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class ToolIndexBuilder(IEmbeddingGenerator<string, Embedding<float>> embedder, int? routeDimensions, LearnedTools? learned)
{
    private const int KeptIndexes = 4;

    private readonly SemaphoreSlim _building = new(1, 1);
    private readonly ToolVectorCache _cache = new(embedder);
    private volatile Built[] _built = [];   // the latest first

    private sealed record Built(ToolEntry[] Entries, UInt128 Key, ToolIndex Index);

    public async ValueTask<ToolIndex> GetAsync(ToolEntry[] entries, CancellationToken cancellationToken)
    {
        if (Find(entries, null) is { } known)
        {
            return known;
        }

        UInt128 key = Key(entries);
        if (Find(entries, key) is { } same)
        {
            return same;
        }

        await _building.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Find(entries, key) ?? await BuildAsync(entries, key, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _building.Release();
        }
    }

    public void Save(Stream stream, string model) => Locked(() => _cache.Save(stream, model));

    public void Load(Stream stream, string model) => Locked(() => _cache.Load(stream, model));

    private void Locked(Action action)
    {
        _building.Wait();
        try
        {
            action();
        }
        finally
        {
            _building.Release();
        }
    }

    private async Task<ToolIndex> BuildAsync(ToolEntry[] entries, UInt128 key, CancellationToken cancellationToken)
    {
        (UInt128 Hash, string Text)[] smallTalk = [.. ToolBackground.Texts.Select(text => (ToolText.Hash(text), text))];
        await _cache.AddAsync(entries.SelectMany(entry => entry.Hashes.Zip(entry.Texts)).Concat(smallTalk), cancellationToken).ConfigureAwait(false);
        int rows = entries.Sum(entry => entry.Hashes.Length);
        ToolVectors match = new(rows, _cache.Width), route = new(rows, RouteWidth(_cache.Width));
        int[] toolRows = new int[entries.Length + 1];
        for (int tool = 0, row = 0; tool < entries.Length; tool++)
        {
            foreach (UInt128 hash in entries[tool].Hashes)
            {
                match.Set(row, _cache[hash]);
                route.Set(row, _cache[hash]);
                row++;
            }

            toolRows[tool + 1] = row;
        }

        ToolIndex index = new([.. entries.Select(entry => entry.Profile)], toolRows, route, match, [.. smallTalk.Select(text => _cache[text.Hash])], learned);
        _built = [new Built(entries, key, index), .. _built.Take(KeptIndexes - 1)];
        return index;
    }

    private int RouteWidth(int width)
    {
        int route = routeDimensions ?? (embedder.GetService(typeof(ModelManifest)) is ModelManifest manifest ? VectorTier.Route.DimensionsIn(manifest) : width);
        return Math.Min(route, width);
    }

    // By instance when there is no key yet, else by content.
    private ToolIndex? Find(ToolEntry[] entries, UInt128? key)
    {
        foreach (Built built in _built)
        {
            if (key is null ? built.Entries.AsSpan().SequenceEqual(entries) : built.Key == key)
            {
                return built.Index;
            }
        }

        return null;
    }

    public static UInt128 Key(ToolEntry[] entries)
    {
        // A polynomial over contents that are cryptographic hashes; order matters.
        UInt128 key = (UInt128)entries.Length;
        foreach (ToolEntry entry in entries)
        {
            key = unchecked((key * new UInt128(0x9E3779B97F4A7C15, 0xF39CC0605CEDC835)) + entry.Content);
        }

        return key;
    }
}
