using System.Collections.Concurrent;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>One search over a file: the funnel, the words, and the items of both.</summary>
internal sealed class SqliteSearch(SqliteSession session, VectorFunnel funnel, MemorySearch search, ConcurrentDictionary<string, long> commonTerms, CancellationToken cancellationToken)
{
    private readonly Dictionary<int, List<EvidenceStage>> _trails = [];
    private readonly Dictionary<int, float[]> _vectors = [];
    private readonly List<StageWidth> _widths = [];
    private Dictionary<string, long>? _holders;

    public MemorySearchResult Run()
    {
        int[] scopes = [.. search.Scopes.Select(scope => session["SELECT number FROM scopes WHERE scope = ?"].With(scope.ToString()).Scalar()).OfType<long>().Select(number => (int)number)];
        if (scopes.Length == 0 || search.Take <= 0)
        {
            return MemorySearchResult.Empty;
        }

        HashSet<int>? keys = search.Metadata is { Count: > 0 } pairs ? KeysWith(pairs) : null;
        VectorFunnel.Fence fence = new(
            scopes, search.From is { } from ? SqliteBlobs.Seconds(from) : 0, search.To is { } to ? SqliteBlobs.Seconds(to) : uint.MaxValue, keys is null ? null : keys.Contains);
        if (!search.Vector.IsEmpty)
        {
            if (search.Exact)
            {
                ScanAll(fence);
            }
            else
            {
                Narrow(fence);
            }
        }

        if (search.Text.Length > 0)
        {
            SearchWords(scopes, fence);
        }

        return new MemorySearchResult(Fetch(), _widths) { Items = funnel.Alive, Holders = _holders };
    }

    private void Narrow(in VectorFunnel.Fence fence)
    {
        List<VectorFunnel.Found> found = funnel.Search(
            search.Vector.Span, search.Take, FunnelWidths.For(funnel.Alive, search.Take), fence, ReadBytes, ReadFull, _widths, cancellationToken);
        for (int i = 0; i < found.Count; i++)
        {
            _trails[found[i].Key] = funnel.TrailOf(found[i], i + 1);
        }
    }

    // A row may be gone by now, if another process removed it: it stays zero here and is left out when the items are fetched.
    private void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> scales)
    {
        SqliteStatement middle = session["SELECT data FROM middle WHERE key = ?"];
        int length = funnel.RetrieveLength;
        foreach ((int key, int at) in InFileOrder(keys))
        {
            middle.Set(1, key);
            if (middle.Step())
            {
                ReadOnlySpan<byte> blob = middle.Blob(0);
                scales[at] = MemoryMarshal.Read<float>(blob);
                MemoryMarshal.Cast<byte, sbyte>(blob[4..]).CopyTo(rows.Slice(at * length, length));
                middle.Reset();
            }
        }
    }

    private void ReadFull(ReadOnlySpan<int> keys, Span<float> rows)
    {
        int length = search.Vector.Length;
        foreach ((int key, int at) in InFileOrder(keys))
        {
            if (ReadVector(key) is { } vector)
            {
                vector.CopyTo(rows[(at * length)..]);
                _vectors[key] = vector;
            }
        }
    }

    private float[]? ReadVector(int key)
    {
        SqliteStatement full = session["SELECT data FROM full WHERE key = ?"];
        full.Set(1, key);
        if (!full.Step())
        {
            return null;
        }

        float[] vector = new float[funnel.FullLength];
        SqliteBlobs.ReadFull(full.Blob(0), vector);
        full.Reset();
        return vector;
    }

    // Neighbours in the file share pages.
    private static (int Key, int At)[] InFileOrder(ReadOnlySpan<int> keys)
    {
        (int Key, int At)[] order = new (int, int)[keys.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = (keys[i], i);
        }

        Array.Sort(order, static (a, b) => a.Key.CompareTo(b.Key));
        return order;
    }

    private void ScanAll(in VectorFunnel.Fence fence)
    {
        List<(int Slot, int Key)> within = funnel.Within(fence);
        TopScored best = new(search.Take);
        float[] vector = new float[search.Vector.Length];
        SqliteStatement rows = session["SELECT key, data FROM full ORDER BY key"];
        for (int i = 0; i < within.Count && rows.Step();)
        {
            while (i < within.Count && within[i].Key < rows.Integer(0))
            {
                i++;
            }

            if (i < within.Count && within[i].Key == rows.Integer(0))
            {
                if ((i++ & 1023) == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }

                SqliteBlobs.ReadFull(rows.Blob(1), vector);
                best.Offer(TensorPrimitives.Dot(search.Vector.Span, vector), (int)rows.Integer(0));
            }
        }

        rows.Reset();
        _widths.Add(new StageWidth("match", within.Count));
        List<Scored> ranked = best.BestFirst();
        for (int i = 0; i < ranked.Count; i++)
        {
            _trails[ranked[i].Slot] = [new EvidenceStage("match", ranked[i].Score, i + 1)];
        }
    }

    private void SearchWords(int[] scopes, in VectorFunnel.Fence fence)
    {
        SqliteWords words = new(session, search, commonTerms, cancellationToken);
        List<(int Key, float Score)> found = words.Run(scopes, funnel.Count(fence), funnel.Alive);
        for (int i = 0; i < found.Count; i++)
        {
            if (!_trails.TryGetValue(found[i].Key, out List<EvidenceStage>? trail))
            {
                _trails[found[i].Key] = trail = [];
            }

            trail.Add(new EvidenceStage("lexical", found[i].Score, i + 1));
        }

        _holders = words.Holders;
        _widths.Add(new StageWidth("lexical", found.Count));
    }

    private HashSet<int> KeysWith(IReadOnlyDictionary<string, string> pairs)
    {
        HashSet<int>? keys = null;
        foreach ((string name, string value) in pairs)
        {
            HashSet<int> holders = [];
            SqliteStatement rows = session["SELECT key FROM pairs WHERE name = ? AND value = ?"].With(name, value);
            while (rows.Step())
            {
                holders.Add((int)rows.Integer(0));
            }

            keys = keys is null ? holders : [.. keys.Intersect(holders)];
        }

        return keys!;
    }

    private List<MemoryCandidate> Fetch()
    {
        SqliteStatement row = session[$"SELECT {SqliteItems.Columns} {SqliteItems.From} WHERE i.key = ?"];
        List<MemoryCandidate> candidates = new(_trails.Count);
        foreach ((int key, int _) in InFileOrder([.. _trails.Keys]))
        {
            row.Set(1, key);
            if (row.Step())
            {
                MemoryItem item = SqliteItems.Read(row);
                row.Reset();
                if ((_vectors.GetValueOrDefault(key) ?? ReadVector(key)) is not { } vector)
                {
                    throw new InvalidDataException($"Item {key} ('{item.Id}') has no vector: the memory is damaged. Restore a copy, or embed the texts again with ReembedAsync.");
                }

                // The funnel's clock has whole seconds; the item's own time decides.
                if ((search.From is null || item.Time >= search.From) && (search.To is null || item.Time < search.To))
                {
                    candidates.Add(new MemoryCandidate(item with { Vector = vector }, _trails[key]));
                }
            }
        }

        return candidates;
    }
}
