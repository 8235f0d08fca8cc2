using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>
/// Narrows a search by vector: sign bits over everything, bytes of the route tier on those near, bytes of the retrieve tier on the
/// best, full vectors on the last. Holds only what the first two stages need; the store supplies the rest for the few that get so far.
/// </summary>
/// <remarks>Slots count up in order of <see cref="Add"/>. Searches may run side by side; writes need the store's lock.</remarks>
internal sealed class VectorFunnel(MemoryModel model)
{
    private const int BlockSlots = 4_096; // blocks never move and waste at most one block: no copy of a list that grows

    private readonly List<Block> _blocks = [];

    /// <summary>Bytes a slot takes: signs 8, route bytes, scale 4, key 4, scope 4, time 4.</summary>
    public int BytesPerSlot => RouteLength + 24;

    public int Slots { get; private set; }

    public int Alive { get; private set; }

    public int RouteLength { get; } = model.Tiers[0];

    public int FullLength { get; } = model.Dimensions;

    /// <summary>Length of the middle tier; 0 when the model has only two tiers or one.</summary>
    public int RetrieveLength { get; } = model.Tiers.Count >= 3 ? model.Tiers[^2] : 0;

    private sealed class Block(int routeLength)
    {
        public readonly ulong[] Signs = new ulong[BlockSlots];
        public readonly sbyte[] Route = new sbyte[BlockSlots * routeLength]; // [slots, route]
        public readonly float[] Scales = new float[BlockSlots];
        public readonly int[] Keys = new int[BlockSlots]; // -1 when removed
        public readonly int[] Scopes = new int[BlockSlots];
        public readonly uint[] Times = new uint[BlockSlots]; // seconds since 1970
    }

    /// <summary>The stages' verdict on one item.</summary>
    public readonly record struct Found(int Slot, int Key, int SignsRank, float SignsScore, int RouteRank, float RouteScore, int RetrieveRank, float RetrieveScore, float Match);

    /// <summary>The trail of an item that came through the funnel.</summary>
    public List<EvidenceStage> TrailOf(in Found found, int matchRank)
    {
        List<EvidenceStage> trail = [new("signs", found.SignsScore, found.SignsRank), new("route", found.RouteScore, found.RouteRank)];
        if (RetrieveLength > 0)
        {
            trail.Add(new EvidenceStage("retrieve", found.RetrieveScore, found.RetrieveRank));
        }

        trail.Add(new EvidenceStage("match", found.Match, matchRank));
        return trail;
    }

    /// <summary>What may come back: scopes by number, a time range in seconds, and any other condition on the key.</summary>
    public readonly record struct Fence(int[] Scopes, uint From, uint To, Func<int, bool>? Allows);

    /// <summary>Reads the vectors of some keys, one row after the other.</summary>
    public delegate void ReadFull(ReadOnlySpan<int> keys, Span<float> rows);

    /// <summary>Reads the retrieve-tier bytes and scales of some keys.</summary>
    public delegate void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> scales);

    public void Add(int key, int scope, uint time, ulong signs, ReadOnlySpan<sbyte> route, float scale)
    {
        if (Slots == _blocks.Count * BlockSlots)
        {
            _blocks.Add(new Block(RouteLength));
        }

        Block block = _blocks[^1];
        int at = Slots++ % BlockSlots;
        block.Signs[at] = signs;
        route.CopyTo(block.Route.AsSpan(at * RouteLength));
        (block.Scales[at], block.Keys[at], block.Scopes[at], block.Times[at]) = (scale, key, scope, time);
        Alive++;
    }

    public void Remove(int slot)
    {
        ref int key = ref _blocks[slot / BlockSlots].Keys[slot % BlockSlots];
        Alive -= key < 0 ? 0 : 1;
        key = -1;
    }

    /// <summary>The slot of a key, for stores whose keys only ever grow; -1 if there is none.</summary>
    public int SlotOf(int key)
    {
        // Removed slots hold no key any more, so the search steps over them to the left.
        int low = 0, high = Slots - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2, probe = middle;
            while (probe >= low && Key(probe) < 0)
            {
                probe--;
            }

            if (probe < low)
            {
                low = middle + 1;
            }
            else if (Key(probe) == key)
            {
                return probe;
            }
            else if (Key(probe) < key)
            {
                low = middle + 1;
            }
            else
            {
                high = probe - 1;
            }
        }

        return -1;
    }

    private int Key(int slot) => _blocks[slot / BlockSlots].Keys[slot % BlockSlots];

    /// <summary>The nearest items, best first.</summary>
    public List<Found> Search(
        ReadOnlySpan<float> query, int take, FunnelWidths widths, in Fence fence, ReadBytes readBytes, ReadFull readFull,
        List<StageWidth> passed, CancellationToken cancellationToken)
    {
        List<Scored> near = ScanSigns(Int8Vector.Signs(query[..RouteLength]), widths.Signs, fence, passed, cancellationToken);
        passed.Add(new StageWidth("route", near.Count));
        List<Scored> routed = ScanRoute(query[..RouteLength], near, widths.Route, cancellationToken);
        Dictionary<int, (float Score, int Rank)> signs = RanksOf(near, routed);
        List<Scored> kept = routed;
        if (RetrieveLength > 0)
        {
            passed.Add(new StageWidth("retrieve", routed.Count));
            kept = Rescore(query, routed, widths.Retrieve, readBytes);
        }

        passed.Add(new StageWidth("match", kept.Count));
        cancellationToken.ThrowIfCancellationRequested();
        int[] keys = [.. kept.Select(scored => Key(scored.Slot))];
        float[] rows = new float[keys.Length * query.Length]; // [kept, full]
        readFull(keys, rows);
        TopScored best = new(take);
        for (int i = 0; i < kept.Count; i++)
        {
            best.Offer(TensorPrimitives.Dot(query, rows.AsSpan(i * query.Length, query.Length)), i);
        }

        Dictionary<int, (float Score, int Rank)> routes = Ranks(routed);
        return [.. best.BestFirst().Select(scored =>
        {
            Scored retrieve = kept[scored.Slot];
            (float routeScore, int routeRank) = routes[retrieve.Slot];
            (float signsScore, int signsRank) = signs[retrieve.Slot];
            return new Found(retrieve.Slot, Key(retrieve.Slot), signsRank, signsScore, routeRank, routeScore, RetrieveLength > 0 ? scored.Slot + 1 : 0, retrieve.Score, scored.Score);
        })];
    }

    /// <summary>Every item within the fence by slot: what an exact scan has to read.</summary>
    public List<(int Slot, int Key)> Within(in Fence fence)
    {
        List<(int, int)> all = [];
        for (int slot = 0; slot < Slots; slot++)
        {
            if (Passes(_blocks[slot / BlockSlots], slot % BlockSlots, fence))
            {
                all.Add((slot, Key(slot)));
            }
        }

        return all;
    }

    private static bool Passes(Block block, int at, in Fence fence) =>
        block.Keys[at] >= 0 && fence.Scopes.AsSpan().Contains(block.Scopes[at]) && block.Times[at] >= fence.From && block.Times[at] <= fence.To &&
        (fence.Allows is null || fence.Allows(block.Keys[at]));

    // Score: share of equal bits, from 0 to 1. More than `keep` come back only where bits tie.
    private List<Scored> ScanSigns(ulong query, int keep, in Fence fence, List<StageWidth> passed, CancellationToken cancellationToken)
    {
        int bits = Math.Min(64, RouteLength), items = 0;
        byte[] distances = new byte[Slots];
        Span<int> histogram = stackalloc int[65];
        for (int b = 0; b < _blocks.Count; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Block block = _blocks[b];
            int count = Math.Min(BlockSlots, Slots - (b * BlockSlots));
            Span<byte> row = distances.AsSpan(b * BlockSlots, count);
            ReadOnlySpan<ulong> signs = block.Signs.AsSpan(0, count);
            for (int i = 0; i < count; i++)
            {
                if (Passes(block, i, fence))
                {
                    int distance = BitOperations.PopCount(signs[i] ^ query);
                    row[i] = (byte)distance;
                    histogram[distance]++;
                    items++;
                }
                else
                {
                    row[i] = byte.MaxValue;
                }
            }
        }

        passed.Add(new StageWidth("signs", items));
        int limit = 0;
        for (int total = histogram[0]; limit < 64 && total < Math.Min(keep, items); total += histogram[limit])
        {
            limit++;
        }

        List<Scored> near = new(Math.Min(items, 2 * keep));
        for (int slot = 0; slot < distances.Length; slot++)
        {
            if (distances[slot] <= limit)
            {
                near.Add(new Scored(1 - ((float)distances[slot] / bits), slot));
            }
        }

        return near;
    }

    private List<Scored> ScanRoute(ReadOnlySpan<float> query, List<Scored> near, int keep, CancellationToken cancellationToken)
    {
        sbyte[] bytes = new sbyte[RouteLength];
        float scale = Int8Vector.Quantize(query, bytes);
        TopScored best = new(keep);
        Block? block = null;
        int first = 0;
        foreach (Scored scored in near)
        {
            int at = scored.Slot - first;
            if (block is null || at >= BlockSlots)
            {
                cancellationToken.ThrowIfCancellationRequested();
                block = _blocks[scored.Slot / BlockSlots];
                first = scored.Slot / BlockSlots * BlockSlots;
                at = scored.Slot - first;
            }

            float score = Int8Vector.Dot(bytes, block.Route.AsSpan(at * RouteLength, RouteLength)) * scale * block.Scales[at];
            if (best.Admits(score, scored.Slot))
            {
                best.Offer(score, scored.Slot);
            }
        }

        return best.BestFirst();
    }

    private List<Scored> Rescore(ReadOnlySpan<float> query, List<Scored> routed, int keep, ReadBytes readBytes)
    {
        sbyte[] bytes = new sbyte[RetrieveLength];
        float scale = Int8Vector.Quantize(query[..RetrieveLength], bytes);
        int[] keys = [.. routed.Select(scored => Key(scored.Slot))];
        sbyte[] rows = new sbyte[keys.Length * RetrieveLength]; // [routed, retrieve]
        float[] scales = new float[keys.Length];
        readBytes(keys, rows, scales);
        TopScored best = new(keep);
        for (int i = 0; i < keys.Length; i++)
        {
            best.Offer(Int8Vector.Dot(bytes, rows.AsSpan(i * RetrieveLength, RetrieveLength)) * scale * scales[i], routed[i].Slot);
        }

        return best.BestFirst();
    }

    private static Dictionary<int, (float Score, int Rank)> Ranks(List<Scored> scored)
    {
        Dictionary<int, (float, int)> ranks = new(scored.Count);
        for (int i = 0; i < scored.Count; i++)
        {
            ranks[scored[i].Slot] = (scored[i].Score, i + 1);
        }

        return ranks;
    }

    // Sign scores have at most 65 values: the rank is one more than the number of items with more equal bits. `near` is in slot order.
    private static Dictionary<int, (float Score, int Rank)> RanksOf(List<Scored> near, List<Scored> wanted)
    {
        Dictionary<float, int> counts = [];
        foreach (Scored scored in near)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, scored.Score, out _)++;
        }

        Dictionary<float, int> better = [];
        int total = 0;
        foreach (float score in counts.Keys.OrderDescending())
        {
            better[score] = total;
            total += counts[score];
        }

        Dictionary<int, (float, int)> ranks = new(wanted.Count);
        Comparer<Scored> bySlot = Comparer<Scored>.Create((a, b) => a.Slot.CompareTo(b.Slot));
        foreach (Scored scored in wanted)
        {
            float score = near[near.BinarySearch(scored, bySlot)].Score;
            ranks[scored.Slot] = (score, better[score] + 1);
        }

        return ranks;
    }
}
