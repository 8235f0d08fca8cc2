using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Keeps memory items in the process: for tests, short-lived agents, and stores that are exported at the end.</summary>
/// <remarks>
/// <para>Holds each item with its text and full vector, one byte a number of the middle tier, and under 120 bytes for the funnel's first
/// stages. Nothing survives the process; <c>AgentMemory.ExportAsync</c> writes it out.</para>
/// <para>Thread-safe: searches run side by side, writes wait for them. Holds no unmanaged memory.</para>
/// </remarks>
/// <example><code>
/// AgentMemory memory = new(embedder, new InMemoryStore());
/// await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
/// IReadOnlyList&lt;Evidence&gt; found = await memory.RecallAsync("How does Ada travel?");
/// // found[0].Text → "Ada prefers trains to planes."
/// </code></example>
public sealed class InMemoryStore : MemoryStore
{
    private readonly ReaderWriterLockSlim _lock = new();
    private readonly Dictionary<MemoryScope, int> _scopes = [];
    private readonly Dictionary<(MemoryScope Scope, string Id), List<int>> _slots = [];
    private MemoryModel? _model;
    private State? _state;

    /// <inheritdoc/>
    public override string Name => "in memory";

    /// <summary>What is kept by slot; a slot of a removed item holds null.</summary>
    private sealed class State(MemoryModel model)
    {
        public readonly VectorFunnel Funnel = new(model);
        public readonly LexicalIndex Words = new();
        public readonly List<MemoryItem?> Items = [];
        public readonly List<sbyte[]> Retrieve = [];
        public readonly List<float> Scales = [];
    }

    /// <inheritdoc/>
    public override Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default) => Write(() =>
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        if (_model is not null && _model.Fingerprint != model.Fingerprint)
        {
            throw MemoryModel.Mismatch(Name, _model.Name, _model.Fingerprint, model);
        }

        _model ??= model;
        _state ??= new State(model);
        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default) => Write(() =>
    {
        Validate(items, _model);
        foreach ((MemoryScope, string) key in items.Select(item => (item.Scope!, item.Id)).Distinct())
        {
            RemoveAll(_slots.GetValueOrDefault(key) ?? []);
            _slots.Remove(key);
        }

        foreach (MemoryItem item in items)
        {
            Append(item);
        }

        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        return Read(state =>
        {
            int[] scopes = [.. search.Scopes.Where(_scopes.ContainsKey).Select(scope => _scopes[scope])];
            if (scopes.Length == 0)
            {
                return MemorySearchResult.Empty;
            }

            // The funnel fences by scope; the rest is checked on the items themselves, since they are at hand.
            bool Allows(int slot) => state.Items[slot] is { } item && (search.From is null || item.Time >= search.From) &&
                (search.To is null || item.Time < search.To) && MemoryFilter.HasPairs(item.Metadata, search.Metadata);
            bool conditions = search.From is not null || search.To is not null || search.Metadata is { Count: > 0 };
            VectorFunnel.Fence fence = new(scopes, 0, uint.MaxValue, conditions ? Allows : null);
            List<StageWidth> widths = [];
            Dictionary<int, List<EvidenceStage>> trails = [];
            if (!search.Vector.IsEmpty)
            {
                SearchVectors(state, search, fence, trails, widths, cancellationToken);
            }

            if (search.Text.Length > 0)
            {
                HashSet<MemoryScope> visible = [.. search.Scopes];
                List<Scored> words = state.Words.Search(search.Text, search.Take, slot => visible.Contains(state.Items[slot]!.Scope!) && Allows(slot), cancellationToken);
                widths.Add(new StageWidth("lexical", words.Count));
                for (int i = 0; i < words.Count; i++)
                {
                    if (!trails.TryGetValue(words[i].Slot, out List<EvidenceStage>? trail))
                    {
                        trails[words[i].Slot] = trail = [];
                    }

                    trail.Add(new EvidenceStage("lexical", words[i].Score, i + 1));
                }
            }

            return new MemorySearchResult([.. trails.Select(pair => new MemoryCandidate(state.Items[pair.Key]!, pair.Value))], widths)
            {
                Items = state.Funnel.Alive,
                Holders = LexicalTerms.Of(search.Text).Distinct().ToDictionary(term => term, term => (long)state.Words.Holders(term)),
            };
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        MemoryItem[] items = await Read<MemoryItem[]>(state => [.. state.Items.Where(item => item is not null && filter.Matches(item)).Select(item => item!)], cancellationToken).ConfigureAwait(false);
        foreach (MemoryItem item in items)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return item;
        }
    }

    /// <inheritdoc/>
    public override Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default) =>
        Read(state => state.Items.Count(item => item is not null && filter.Matches(item)), cancellationToken);

    /// <inheritdoc/>
    public override Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default) => Write(() =>
    {
        RequireBound(_model);
        List<int> slots = [.. Enumerable.Range(0, _state!.Items.Count).Where(slot => _state.Items[slot] is { } item && filter.Matches(item))];
        foreach (IGrouping<(MemoryScope, string), int> group in slots.GroupBy(slot => (_state.Items[slot]!.Scope!, _state.Items[slot]!.Id)).ToList())
        {
            List<int> kept = _slots[group.Key];
            kept.RemoveAll(group.Contains);
            if (kept.Count == 0)
            {
                _slots.Remove(group.Key);
            }
        }

        RemoveAll(slots);
        return slots.Count;
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default) =>
        Read<IReadOnlyList<MemoryItem>>(state =>
        {
            MemoryItem[] all = [.. state.Items.Where(item => item is not null && (scopes is null || scopes.Contains(item.Scope!))).Select(item => item!)];
            int taken = Math.Min(Math.Max(0, count), all.Length);
            return [.. Enumerable.Range(0, taken).Select(i => all[(int)((long)i * all.Length / taken)])];
        }, cancellationToken);

    /// <inheritdoc/>
    public override Task CompactAsync(CancellationToken cancellationToken = default) => Write(() =>
    {
        RequireBound(_model);
        Rebuild(_model!, [.. _state!.Items.Where(item => item is not null).Select(item => item!)]);
        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override async Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(embed);
        model.Validate();
        Dictionary<string, ReadOnlyMemory<float>> vectors = [];
        while (true)
        {
            // Texts that arrive while others are embedded are found missing on the next round.
            string[] missing = await Write(() => (_state?.Items ?? []).Where(item => item is not null && !vectors.ContainsKey(item.Text)).Select(item => item!.Text).Distinct().ToArray(), cancellationToken).ConfigureAwait(false);
            foreach (string[] texts in missing.Chunk(256))
            {
                IReadOnlyList<ReadOnlyMemory<float>> embedded = await embed(texts, cancellationToken).ConfigureAwait(false);
                for (int i = 0; i < texts.Length; i++)
                {
                    vectors[texts[i]] = embedded[i];
                }

                progress?.Report((double)vectors.Count / (vectors.Count + missing.Length));
            }

            bool done = await Write(() =>
            {
                List<MemoryItem> items = [.. (_state?.Items ?? []).Where(item => item is not null).Select(item => item!)];
                if (!items.TrueForAll(item => vectors.ContainsKey(item.Text)))
                {
                    return false;
                }

                items = [.. items.Select(item => item with { Vector = vectors[item.Text] })];
                Validate(items, model);
                Rebuild(model, items);
                return true;
            }, cancellationToken).ConfigureAwait(false);
            if (done)
            {
                progress?.Report(1);
                return;
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _lock.Dispose();
        }
    }

    private static void SearchVectors(
        State state, MemorySearch search, in VectorFunnel.Fence fence, Dictionary<int, List<EvidenceStage>> trails, List<StageWidth> widths, CancellationToken cancellationToken)
    {
        if (search.Exact)
        {
            List<(int Slot, int Key)> within = state.Funnel.Within(fence);
            TopScored best = new(search.Take);
            foreach ((int slot, _) in within)
            {
                best.Offer(TensorPrimitives.Dot(search.Vector.Span, state.Items[slot]!.Vector.Span), slot);
            }

            widths.Add(new StageWidth("match", within.Count));
            List<Scored> ranked = best.BestFirst();
            for (int i = 0; i < ranked.Count; i++)
            {
                trails[ranked[i].Slot] = [new EvidenceStage("match", ranked[i].Score, i + 1)];
            }

            return;
        }

        void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> scales)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                state.Retrieve[keys[i]].CopyTo(rows[(i * state.Funnel.RetrieveLength)..]);
                scales[i] = state.Scales[keys[i]];
            }
        }

        void ReadFull(ReadOnlySpan<int> keys, Span<float> rows)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                ReadOnlySpan<float> vector = state.Items[keys[i]]!.Vector.Span;
                vector.CopyTo(rows[(i * vector.Length)..]);
            }
        }

        List<VectorFunnel.Found> found = state.Funnel.Search(
            search.Vector.Span, search.Take, FunnelWidths.For(state.Funnel.Alive, search.Take), fence, ReadBytes, ReadFull, widths, cancellationToken);
        for (int i = 0; i < found.Count; i++)
        {
            trails[found[i].Slot] = state.Funnel.TrailOf(found[i], i + 1);
        }
    }

    private void Append(MemoryItem item)
    {
        State state = _state!;
        ReadOnlySpan<float> vector = item.Vector.Span;
        if (!_scopes.TryGetValue(item.Scope!, out int scope))
        {
            _scopes[item.Scope!] = scope = _scopes.Count;
        }

        int slot = state.Items.Count;
        state.Funnel.Add(slot, scope, (uint)Math.Clamp(item.Time!.Value.ToUnixTimeSeconds(), 0, uint.MaxValue), vector);
        sbyte[] retrieve = new sbyte[state.Funnel.RetrieveLength];
        state.Scales.Add(Quantization.ToInt8(vector[..retrieve.Length], retrieve));
        state.Retrieve.Add(retrieve);
        state.Words.Add(item.Text);
        state.Items.Add(item with { Vector = vector.ToArray() });
        (MemoryScope, string) key = (item.Scope!, item.Id);
        if (!_slots.TryGetValue(key, out List<int>? slots))
        {
            _slots[key] = slots = new(1);
        }

        // An id and start given twice in one call: the last one counts.
        List<int> replaced = slots.FindAll(earlier => state.Items[earlier]!.Start == item.Start);
        RemoveAll(replaced);
        slots.RemoveAll(replaced.Contains);
        slots.Add(slot);
    }

    private void RemoveAll(List<int> slots)
    {
        foreach (int slot in slots)
        {
            _state!.Funnel.Remove(slot);
            _state.Words.Remove(slot);
            _state.Items[slot] = null;
            _state.Retrieve[slot] = [];
        }
    }

    private void Rebuild(MemoryModel model, List<MemoryItem> items)
    {
        (_model, _state) = (model, new State(model));
        _slots.Clear();
        _scopes.Clear();
        items.ForEach(Append);
    }

    private Task<T> Read<T>(Func<State, T> read, CancellationToken cancellationToken) => Task.Run(() =>
    {
        _lock.EnterReadLock();
        try
        {
            RequireBound(_model);
            return read(_state!);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }, cancellationToken);

    private Task<T> Write<T>(Func<T> write, CancellationToken cancellationToken) => Task.Run(() =>
    {
        _lock.EnterWriteLock();
        try
        {
            return write();
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }, cancellationToken);
}
