using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

using Record = Dictionary<string, object?>;

/// <summary>Keeps memory items in any vector store of <c>Microsoft.Extensions.VectorData</c>.</summary>
/// <remarks>
/// <para>Each item is one record of a dynamic collection with a vector property for each tier of the model, such as vector64, vector256 and
/// vector768: the store searches by the first tier, what it proposes is ranked again at full width here. A second collection, named like the first
/// with <c>_model</c>, holds which model the vectors come from.</para>
/// <para>The store has to filter by equality, order and membership, sort by a number, and, for metadata, keep lists of texts
/// (<see cref="VectorStoreMemoryOptions"/> says what can be done without). A write is as atomic as the store's batch upsert; chunks that it
/// replaces are removed after it. Words are searched in this process: an index of all items' words is read with the first search, a removal by
/// another process is noticed when its item would be found.</para>
/// <para>A reembedding writes a new collection and switches to it at the end; other processes must not write meanwhile and have to open the
/// memory again. Thread-safe. Does not dispose the vector store.</para>
/// </remarks>
/// <example><code>
/// VectorStore vectors = new InMemoryVectorStore();   // or Qdrant, PgVector, Redis, Azure AI Search...
/// AgentMemory memory = new(embedder, new VectorStoreMemoryStore(vectors, "memory"));
/// await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
/// // (await memory.RecallAsync("How does Ada travel?"))[0].Text → "Ada prefers trains to planes."
/// </code></example>
public sealed class VectorStoreMemoryStore : MemoryStore
{
    private const int FewestProposed = 100;

    private readonly VectorStoreMemoryOptions _options;
    private readonly VectorStoreBinding _binding;
    private readonly VectorStoreWords _words = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private volatile Bound? _bound;
    private long _sequence;

    private sealed record Bound(MemoryModel Model, VectorStoreItems Items, int Generation);

    /// <summary>Puts a memory into a collection. Nothing is opened yet.</summary>
    /// <param name="vectors">The vector store; stays the caller's.</param>
    /// <param name="collection">The collection's name; made with the first use.</param>
    /// <param name="options">Layout and search; <see langword="null"/> for the defaults.</param>
    public VectorStoreMemoryStore(VectorStore vectors, string collection = "memory", VectorStoreMemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentException.ThrowIfNullOrWhiteSpace(collection);
        _options = options ?? new();
        _options.Validate();
        _binding = new VectorStoreBinding(vectors, collection, _options);
        string system = (vectors.GetService(typeof(VectorStoreMetadata)) as VectorStoreMetadata)?.VectorStoreSystemName ?? vectors.GetType().Name;
        Name = $"{collection} ({system})";
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>The collection of the items, for searches outside of memory: by vector or, with <see cref="VectorStoreMemoryOptions.Generator"/>, by text. Write through memory only.</summary>
    /// <exception cref="InvalidOperationException">The store is not tied to a model yet.</exception>
    public VectorStoreCollection<object, Record> Collection => Items.Collection;

    private VectorStoreItems Items
    {
        get
        {
            RequireBound(_bound?.Model);
            return _bound!.Items;
        }
    }

    /// <inheritdoc/>
    public override async Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        if (_bound?.Model.Fingerprint == model.Fingerprint)
        {
            return;
        }

        await WriteAsync(async () =>
        {
            (MemoryModel Model, int Generation)? stored = await _binding.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (stored is { } other && other.Model.Fingerprint != model.Fingerprint)
            {
                throw MemoryModel.Mismatch(Name, other.Model.Name, other.Model.Fingerprint, model);
            }

            Bound bound = new(stored?.Model ?? model, _binding.Items(stored?.Model ?? model, stored?.Generation ?? 0), stored?.Generation ?? 0);
            await bound.Items.Collection.EnsureCollectionExistsAsync(cancellationToken).ConfigureAwait(false);
            if (stored is null)
            {
                await _binding.WriteAsync(model, 0, cancellationToken).ConfigureAwait(false);
            }

            _bound = bound;
            return 0;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default) => WriteAsync(async () =>
    {
        Validate(items, _bound?.Model);
        if (items.Count > 0)
        {
            // The clock orders the writes of several processes, the counter those of this one.
            _sequence = Math.Max(_sequence, _options.Time.GetUtcNow().UtcTicks);
            await Items.WriteAsync(items, _sequence, cancellationToken).ConfigureAwait(false);
            _sequence += items.Count;
        }

        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override async Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        cancellationToken.ThrowIfCancellationRequested();
        VectorStoreItems items = Items;
        List<StageWidth> widths = [];
        Dictionary<object, (MemoryItem Item, List<EvidenceStage> Trail)> found = [];
        if (!search.Vector.IsEmpty)
        {
            await SearchVectorsAsync(items, search, found, widths, cancellationToken).ConfigureAwait(false);
        }

        if (search.Text.Length == 0 || !_options.Words)
        {
            return new MemorySearchResult([.. found.Values.Select(each => new MemoryCandidate(each.Item, each.Trail))], widths);
        }

        VectorStoreWords.Found words = await _words.SearchAsync(items, search, cancellationToken).ConfigureAwait(false);
        widths.Add(new StageWidth("lexical", words.Best.Count));
        await FetchAsync(items, [.. words.Best.Select(best => best.Key).Where(key => !found.ContainsKey(key))], search, found, cancellationToken).ConfigureAwait(false);
        int rank = 0;
        foreach ((object key, float score) in words.Best)
        {
            if (found.TryGetValue(key, out (MemoryItem Item, List<EvidenceStage> Trail) each))
            {
                each.Trail.Add(new EvidenceStage("lexical", score, ++rank));
            }
        }

        return new MemorySearchResult([.. found.Values.Select(each => new MemoryCandidate(each.Item, each.Trail))], widths) { Items = words.Items, Holders = words.Holders };
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        VectorStoreItems items = Items;
        await foreach (Record record in items.ScanAsync(VectorStoreFilters.Of(filter, _options.MetadataInStore), vectors: true, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            MemoryItem item = items.Schema.Read(record);
            if (filter.Matches(item))
            {
                yield return item;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return (await KeysAsync(filter, cancellationToken).ConfigureAwait(false)).Count;
    }

    /// <inheritdoc/>
    public override Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default) => WriteAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(filter);
        List<object> keys = await KeysAsync(filter, cancellationToken).ConfigureAwait(false);
        if (keys.Count > 0)
        {
            await Items.Collection.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
            await _words.ForgetAsync(keys, CancellationToken.None).ConfigureAwait(false);
        }

        return keys.Count;
    }, cancellationToken);

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default)
    {
        VectorStoreItems items = Items;
        List<object> keys = await _words.SampleAsync(items, count, scopes, cancellationToken).ConfigureAwait(false);
        Dictionary<object, MemoryItem> sampled = await ReadAsync(items, keys, cancellationToken).ConfigureAwait(false);
        return [.. keys.Where(sampled.ContainsKey).Select(key => sampled[key])];
    }

    /// <summary>Drops the index of words, which is read again with the next search; the vector store looks after its own room.</summary>
    /// <param name="cancellationToken">Stops the work.</param>
    public override Task CompactAsync(CancellationToken cancellationToken = default)
    {
        RequireBound(_bound?.Model);
        return _words.ClearAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default) => WriteAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(embed);
        model.Validate();
        const int batch = 256;
        (MemoryModel Model, int Generation) stored = await _binding.ReadAsync(cancellationToken).ConfigureAwait(false) ?? (model, -1);
        int next = stored.Generation + 1;
        await _binding.DeleteAsync(next, cancellationToken).ConfigureAwait(false);  // what a reembedding that was broken off left
        Bound bound = new(model, _binding.Items(model, next), next);
        await bound.Items.Collection.EnsureCollectionExistsAsync(cancellationToken).ConfigureAwait(false);
        if (stored.Generation >= 0)
        {
            VectorStoreItems old = _binding.Items(stored.Model, stored.Generation);
            List<Record> all = await old.ScanAsync(null, vectors: false, cancellationToken: cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            int done = 0;
            foreach (Record[] records in all.Chunk(batch))
            {
                MemoryItem[] items = [.. records.Select(old.Schema.Read)];
                IReadOnlyList<ReadOnlyMemory<float>> vectors = await embed([.. items.Select(item => item.Text)], cancellationToken).ConfigureAwait(false);
                items = [.. items.Select((item, i) => item with { Vector = vectors[i] })];
                Validate(items, model);
                await bound.Items.Collection.UpsertAsync(
                    items.Select((item, i) => bound.Items.Schema.Write(item, records[i][VectorStoreSchema.Key]!, VectorStoreSchema.Number(records[i], VectorStoreSchema.Sequence))), cancellationToken).ConfigureAwait(false);
                progress?.Report((double)(done += items.Length) / all.Count);
            }
        }

        await _binding.WriteAsync(model, next, cancellationToken).ConfigureAwait(false);
        _bound = bound;
        await _words.ClearAsync(CancellationToken.None).ConfigureAwait(false);
        if (stored.Generation >= 0)
        {
            await _binding.DeleteAsync(stored.Generation, CancellationToken.None).ConfigureAwait(false);
        }

        progress?.Report(1);
        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bound?.Items.Dispose();
            _binding.Dispose();
            _words.Dispose();
            _writing.Dispose();
        }
    }

    private async Task SearchVectorsAsync(
        VectorStoreItems items, MemorySearch search, Dictionary<object, (MemoryItem Item, List<EvidenceStage> Trail)> found, List<StageWidth> widths, CancellationToken cancellationToken)
    {
        VectorStoreSchema schema = items.Schema;
        int full = schema.Tiers[^1], first = search.Exact ? full : schema.FirstDimensions;
        string property = VectorStoreSchema.Vector(first);
        VectorSearchOptions<Record> options = new() { Filter = VectorStoreFilters.Of(search, _options.MetadataInStore), VectorProperty = record => record[property], IncludeVectors = true };
        int proposed = first == full ? search.Take : (int)Math.Min(int.MaxValue, Math.Max(FewestProposed, (long)search.Take * _options.Widen));
        ReadOnlyMemory<float> question = VectorStoreSchema.Prefix(search.Vector.Span, first);
        List<(object Key, MemoryItem Item, EvidenceStage? First, float Match)> candidates = [];
        await foreach (VectorSearchResult<Record> result in items.Collection.SearchAsync(question, proposed, options, cancellationToken).ConfigureAwait(false))
        {
            MemoryItem item = schema.Read(result.Record);
            if (Allows(search, item))
            {
                // The scores are ours, whatever distance the store measures.
                EvidenceStage? stage = first == full ? null
                    : new(schema.StageOf(first), TensorPrimitives.Dot(question.Span, VectorStoreSchema.Prefix(item.Vector.Span, first).Span), candidates.Count + 1);
                candidates.Add((result.Record[VectorStoreSchema.Key]!, item, stage, TensorPrimitives.Dot(search.Vector.Span, item.Vector.Span)));
            }
        }

        if (first != full)
        {
            widths.Add(new StageWidth(schema.StageOf(first), candidates.Count));
        }

        widths.Add(new StageWidth("match", candidates.Count));
        int rank = 0;
        foreach ((object key, MemoryItem item, EvidenceStage? stage, float match) in candidates.OrderByDescending(candidate => candidate.Match).Take(search.Take))
        {
            found[key] = (item, [.. stage is { } firstStage ? [firstStage] : Array.Empty<EvidenceStage>(), new EvidenceStage("match", match, ++rank)]);
        }
    }

    // Items found by words alone, as they are in the store now.
    private async Task FetchAsync(
        VectorStoreItems items, List<object> keys, MemorySearch search, Dictionary<object, (MemoryItem Item, List<EvidenceStage> Trail)> found, CancellationToken cancellationToken)
    {
        Dictionary<object, MemoryItem> read = await ReadAsync(items, keys, cancellationToken).ConfigureAwait(false);
        foreach (object key in keys.Where(key => read.TryGetValue(key, out MemoryItem? item) && Allows(search, item)))
        {
            found[key] = (read[key], []);
        }

        if (read.Count < keys.Count)
        {
            await _words.ForgetAsync(keys.Where(key => !read.ContainsKey(key)), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<Dictionary<object, MemoryItem>> ReadAsync(VectorStoreItems items, List<object> keys, CancellationToken cancellationToken)
    {
        Dictionary<object, MemoryItem> read = [];
        if (keys.Count > 0)
        {
            await foreach (Record record in items.Collection.GetAsync(keys, new RecordRetrievalOptions { IncludeVectors = true }, cancellationToken).ConfigureAwait(false))
            {
                read[record[VectorStoreSchema.Key]!] = items.Schema.Read(record);
            }
        }

        return read;
    }

    private async Task<List<object>> KeysAsync(MemoryFilter filter, CancellationToken cancellationToken)
    {
        VectorStoreItems items = Items;
        List<object> keys = [];
        await foreach (Record record in items.ScanAsync(VectorStoreFilters.Of(filter, _options.MetadataInStore), vectors: false, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            if (filter.Matches(items.Schema.Read(record)))
            {
                keys.Add(record[VectorStoreSchema.Key]!);
            }
        }

        return keys;
    }

    // The fence once more: a store that filters inexactly must not show another scope's items.
    private static bool Allows(MemorySearch search, MemoryItem item) => search.Scopes.Contains(item.Scope!) && (search.From is null || item.Time >= search.From) &&
        (search.To is null || item.Time < search.To) && MemoryFilter.HasPairs(item.Metadata, search.Metadata);

    private async Task<T> WriteAsync<T>(Func<Task<T>> write, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await write().ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }
}
