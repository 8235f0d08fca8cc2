namespace SkMmBert;

using Record = Dictionary<string, object?>;

/// <summary>The words of every item of a vector store, kept in the process and brought up to date before each search.</summary>
/// <remarks>Safe for use from several threads; searches wait for one another.</remarks>
internal sealed class VectorStoreWords : IDisposable
{
    // Writers on other machines whose clock is behind ours by up to this are not missed.
    private static readonly long Overlap = TimeSpan.FromSeconds(5).Ticks;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<object, int> _slots = [];
    private readonly List<Entry?> _entries = [];
    private LexicalIndex _index = new();
    private long _latest;

    private sealed record Entry(object Key, long Sequence, MemoryScope Scope, DateTimeOffset Time, IReadOnlyDictionary<string, string> Metadata);

    /// <summary>What a search by words found.</summary>
    public readonly record struct Found(List<(object Key, float Score)> Best, long Items, Dictionary<string, long> Holders);

    public async Task<Found> SearchAsync(VectorStoreItems items, MemorySearch search, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RefreshAsync(items, cancellationToken).ConfigureAwait(false);
            HashSet<MemoryScope> visible = [.. search.Scopes];
            bool Allows(int slot) => _entries[slot] is { } entry && visible.Contains(entry.Scope) && (search.From is null || entry.Time >= search.From) &&
                (search.To is null || entry.Time < search.To) && MemoryFilter.HasPairs(entry.Metadata, search.Metadata);
            List<(object, float)> best = [.. _index.Search(search.Text, search.Take, Allows, cancellationToken).Select(found => (_entries[found.Slot]!.Key, found.Score))];
            return new Found(best, _slots.Count, LexicalTerms.Of(search.Text).Distinct().ToDictionary(term => term, term => (long)_index.Holders(term)));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Keys spread evenly over the items of the scopes, in the order of their writing.</summary>
    public async Task<List<object>> SampleAsync(VectorStoreItems items, int count, IReadOnlyList<MemoryScope>? scopes, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RefreshAsync(items, cancellationToken).ConfigureAwait(false);
            HashSet<MemoryScope>? visible = scopes is null ? null : [.. scopes];
            Entry[] all = [.. _entries.OfType<Entry>().Where(entry => visible is null || visible.Contains(entry.Scope)).OrderBy(entry => entry.Sequence)];
            int taken = Math.Min(Math.Max(0, count), all.Length);
            return [.. Enumerable.Range(0, taken).Select(i => all[(int)((long)i * all.Length / taken)].Key)];
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Drops items that are no longer in the store.</summary>
    public async Task ForgetAsync(IEnumerable<object> keys, CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (object key in keys)
            {
                Remove(key);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Drops everything; the next search reads it again.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        _index = new();
        _slots.Clear();
        _entries.Clear();
        _latest = 0;
        _gate.Release();
    }

    public void Dispose() => _gate.Dispose();

    private async Task RefreshAsync(VectorStoreItems items, CancellationToken cancellationToken)
    {
        await foreach (Record record in items.ScanAsync(null, vectors: false, Math.Max(0, _latest - Overlap), cancellationToken).ConfigureAwait(false))
        {
            object key = record[VectorStoreSchema.Key]!;
            long sequence = VectorStoreSchema.Number(record, VectorStoreSchema.Sequence);
            _latest = Math.Max(_latest, sequence);
            if (_slots.TryGetValue(key, out int slot) && _entries[slot]!.Sequence == sequence)
            {
                continue;
            }

            Remove(key);
            MemoryItem item = items.Schema.Read(record);
            _slots[key] = _entries.Count;
            _entries.Add(new Entry(key, sequence, item.Scope!, item.Time!.Value, item.Metadata));
            _index.Add(item.Text);
        }
    }

    private void Remove(object key)
    {
        if (_slots.Remove(key, out int slot))
        {
            _entries[slot] = null;
            _index.Remove(slot);
        }
    }
}
