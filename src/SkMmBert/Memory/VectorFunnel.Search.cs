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

    /// <summary>The best of some slots by the bytes of the retrieve tier and the signs beyond it, best first.</summary>
    public List<Scored> Rescore(ReadOnlySpan<float> query, List<Scored> routed, int keep, ReadBytes readBytes)
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
