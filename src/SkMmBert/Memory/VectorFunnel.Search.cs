using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

internal sealed partial class VectorFunnel
{
    /// <summary>The nearest items, best first.</summary>
    public List<Found> Search(
        ReadOnlySpan<float> query, int take, FunnelWidths widths, in Fence fence, ReadBytes readBytes, ReadFull readFull,
        List<StageWidth> passed, CancellationToken cancellationToken)
    {
        List<Scored> near = ScanSigns(query, widths.Signs, fence, passed, cancellationToken);
        passed.Add(new StageWidth("route", near.Count));
        List<Scored> routed = ScanRoute(query, near, widths.Route, cancellationToken), kept = routed;
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

        return Trace(best.BestFirst(), kept, routed, near);
    }

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

    // Score: 1 for equal signs, -1 for opposite ones. More than `keep` come back only where distances tie. In slot order.
    private List<Scored> ScanSigns(ReadOnlySpan<float> query, int keep, in Fence fence, List<StageWidth> passed, CancellationToken cancellationToken)
    {
        Span<ulong> signs = stackalloc ulong[SignWords], large = stackalloc ulong[SignWords];
        SignBits.Write(query, signs);
        SignBits.Large(query, large);
        const int Farthest = 3 * 64 * SignBits.MostWords;
        Span<int> histogram = stackalloc int[Farthest + 1];
        histogram.Clear();
        ushort[] distances = ArrayPool<ushort>.Shared.Rent(Slots);
        int items = 0;
        for (int b = 0; b < _blocks.Count; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Block block = _blocks[b];
            int count = Math.Min(BlockSlots, Slots - (b * BlockSlots));
            items += Distances(block, count, signs, large, fence, distances.AsSpan(b * BlockSlots, count), histogram);
        }

        passed.Add(new StageWidth("signs", items));
        int limit = 0;
        for (int total = histogram[0]; limit < Farthest && total < Math.Min(keep, items); total += histogram[limit])
        {
            limit++;
        }

        float opposite = SignBits.Bits(FullLength);
        foreach (ulong word in large)
        {
            opposite += 2 * BitOperations.PopCount(word);
        }

        List<Scored> near = new(Math.Min(items, 2 * keep));
        for (int slot = 0; slot < Slots; slot++)
        {
            if (distances[slot] <= limit)
            {
                near.Add(new Scored(1 - (2 * distances[slot] / opposite), slot));
            }
        }

        ArrayPool<ushort>.Shared.Return(distances);
        return near;
    }

    private int Distances(Block block, int count, ReadOnlySpan<ulong> signs, ReadOnlySpan<ulong> large, in Fence fence, Span<ushort> distances, Span<int> histogram)
    {
        // The common case, one scope and no other condition, is a loop of a few instructions an item.
        bool plain = fence.Scopes.Length == 1 && fence.From == 0 && fence.To == uint.MaxValue && fence.Allows is null;
        int only = plain ? fence.Scopes[0] : -1, items = 0;
        ReadOnlySpan<int> keys = block.Keys.AsSpan(0, count), scopes = block.Scopes.AsSpan(0, count);
        ReadOnlySpan<Bits256> four = SignWords == SignBits.MostWords ? MemoryMarshal.Cast<ulong, Bits256>(block.Signs.AsSpan(0, count * SignWords)) : [];
        Bits256 asked = four.IsEmpty ? default : MemoryMarshal.Read<Bits256>(MemoryMarshal.AsBytes(signs)), weighty = four.IsEmpty ? default : MemoryMarshal.Read<Bits256>(MemoryMarshal.AsBytes(large));
        for (int i = 0; i < count; i++)
        {
            if (plain ? keys[i] < 0 || scopes[i] != only : !Passes(block, i, fence))
            {
                distances[i] = ushort.MaxValue;
                continue;
            }

            int distance = four.IsEmpty ? SignBits.Distance(block.Signs.AsSpan(i * SignWords, SignWords), signs, large) : four[i].Distance(asked, weighty);
            distances[i] = (ushort)distance;
            histogram[distance]++;
            items++;
        }

        return items;
    }

    /// <summary>Four words at once: <see cref="SignBits.Distance"/> without a loop.</summary>
    private readonly record struct Bits256(ulong A, ulong B, ulong C, ulong D)
    {
        public int Distance(in Bits256 question, in Bits256 large)
        {
            ulong a = A ^ question.A, b = B ^ question.B, c = C ^ question.C, d = D ^ question.D;
            int all = BitOperations.PopCount(a) + BitOperations.PopCount(b) + BitOperations.PopCount(c) + BitOperations.PopCount(d);
            return all + (2 * (BitOperations.PopCount(a & large.A) + BitOperations.PopCount(b & large.B) + BitOperations.PopCount(c & large.C) + BitOperations.PopCount(d & large.D)));
        }
    }

    private List<Scored> ScanRoute(ReadOnlySpan<float> query, List<Scored> near, int keep, CancellationToken cancellationToken)
    {
        sbyte[] bytes = new sbyte[RouteLength];
        float scale = Quantization.ToInt8(query[..RouteLength], bytes);
        float[] table = SignBits.Table(query, RouteLength);
        TopScored best = new(keep);
        for (int i = 0; i < near.Count; i++)
        {
            if ((i & 4_095) == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            int slot = near[i].Slot, at = slot % BlockSlots;
            Block block = _blocks[slot / BlockSlots];
            float score = (Similarity.Dot(bytes, block.Route.AsSpan(at * RouteLength, RouteLength)) * scale * block.Scales[at]) +
                (SignBits.Sum(table, SignBytes(block, at), RouteLength) * block.Tails[at]);
            best.Offer(score, slot);
        }

        return best.BestFirst();
    }

    private List<Scored> Rescore(ReadOnlySpan<float> query, List<Scored> routed, int keep, ReadBytes readBytes)
    {
        sbyte[] bytes = new sbyte[RetrieveLength];
        float scale = Quantization.ToInt8(query[..RetrieveLength], bytes);
        float[] table = SignBits.Table(query, RetrieveLength);
        int[] keys = [.. routed.Select(scored => Key(scored.Slot))];
        sbyte[] rows = new sbyte[keys.Length * RetrieveLength]; // [routed, retrieve]
        float[] scales = new float[keys.Length];
        readBytes(keys, rows, scales);
        TopScored best = new(keep);
        for (int i = 0; i < keys.Length; i++)
        {
            int slot = routed[i].Slot, at = slot % BlockSlots;
            Block block = _blocks[slot / BlockSlots];
            float score = (Similarity.Dot(bytes, rows.AsSpan(i * RetrieveLength, RetrieveLength)) * scale * scales[i]) +
                (SignBits.Sum(table, SignBytes(block, at), RetrieveLength) * block.Tails[at]);
            best.Offer(score, slot);
        }

        return best.BestFirst();
    }

    private ReadOnlySpan<byte> SignBytes(Block block, int at) => MemoryMarshal.AsBytes(block.Signs.AsSpan(at * SignWords, SignWords));

    private List<Found> Trace(List<Scored> matched, List<Scored> kept, List<Scored> routed, List<Scored> near)
    {
        Dictionary<int, int> routeRanks = new(routed.Count);
        for (int i = 0; i < routed.Count; i++)
        {
            routeRanks[routed[i].Slot] = i;
        }

        Comparer<Scored> bySlot = Comparer<Scored>.Create((a, b) => a.Slot.CompareTo(b.Slot));
        List<Found> found = new(matched.Count);
        foreach (Scored match in matched)
        {
            int slot = kept[match.Slot].Slot, route = routeRanks[slot];
            float signs = near[near.BinarySearch(new Scored(0, slot), bySlot)].Score;
            found.Add(new Found(
                slot, Key(slot), 0, signs, route + 1, routed[route].Score, RetrieveLength > 0 ? match.Slot + 1 : 0, kept[match.Slot].Score, match.Score));
        }

        // A rank by signs is one more than the number of items with nearer signs: one pass counts them for all that were found.
        float[] ascending = [.. found.Select(item => item.SignsScore).Distinct().Order()];
        int[] nearer = new int[ascending.Length + 1];
        foreach (Scored scored in near)
        {
            int place = Array.BinarySearch(ascending, scored.Score);
            nearer[place >= 0 ? place : ~place]++; // scores that are above ascending[place - 1] and at most ascending[place]
        }

        for (int i = 0; i < found.Count; i++)
        {
            int better = 0;
            for (int place = Array.BinarySearch(ascending, found[i].SignsScore) + 1; place < nearer.Length; place++)
            {
                better += nearer[place];
            }

            found[i] = found[i] with { SignsRank = better + 1 };
        }

        return found;
    }
}
