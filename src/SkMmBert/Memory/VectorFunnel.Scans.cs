using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace SkMmBert;

// The two stages that look at very many items: nothing but arithmetic over the blocks, in slot order.
internal sealed partial class VectorFunnel
{
    private const ushort Fenced = ushort.MaxValue;

    /// <summary>The slots with the nearest signs; more than <paramref name="keep"/> only where distances tie. Score: 1 for equal signs, -1 for opposite ones. In slot order.</summary>
    public List<Scored> ScanSigns(ReadOnlySpan<float> query, int keep, in Fence fence, List<StageWidth> passed, CancellationToken cancellationToken)
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
            int count = Math.Min(BlockSlots, Slots - (b * BlockSlots));
            items += Distances(_blocks[b], count, signs, large, fence, distances.AsSpan(b * BlockSlots, count), histogram);
        }

        passed.Add(new StageWidth("signs", items));
        int limit = 0, within = histogram[0];
        for (; limit < Farthest && within < Math.Min(keep, items); within += histogram[limit])
        {
            limit++;
        }

        float opposite = SignBits.Bits(FullLength);
        foreach (ulong word in large)
        {
            opposite += 2 * BitOperations.PopCount(word);
        }

        List<Scored> near = new(within);
        Collect(distances.AsSpan(0, Slots), (ushort)limit, opposite, near);
        ArrayPool<ushort>.Shared.Return(distances);
        return near;
    }

    /// <summary>The best of some slots by the bytes of the route tier and the signs beyond it, best first.</summary>
    public List<Scored> ScanRoute(ReadOnlySpan<float> query, List<Scored> near, int keep, CancellationToken cancellationToken)
    {
        sbyte[] bytes = new sbyte[RouteLength];
        float scale = Quantization.ToInt8(query[..RouteLength], bytes);
        float[] table = SignBits.Table(query, RouteLength);
        TopScored best = new(keep);
        int length = RouteLength, words = SignWords;
        float mostBeyond = SignBits.MostOf(table);
        ReadOnlySpan<Scored> slots = CollectionsMarshal.AsSpan(near);
        for (int i = 0; i < slots.Length; i++)
        {
            if ((i & 4_095) == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            int slot = slots[i].Slot, at = slot % BlockSlots;
            Block block = _blocks[slot / BlockSlots];
            float score = Similarity.Dot(bytes, new ReadOnlySpan<sbyte>(block.Route, at * length, length)) * scale * block.Scales[at];
            if (score + (mostBeyond * block.Tails[at]) < best.Least)
            {
                continue;   // not even with every sign in its favour
            }

            score += SignBits.Sum(table, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(block.Signs, at * words, words)), length) * block.Tails[at];
            if (score >= best.Least)
            {
                best.Offer(score, slot);
            }
        }

        return best.BestFirst();
    }

    // Eight slots are passed over at once where none is near enough, which is most of the time.
    private static void Collect(ReadOnlySpan<ushort> distances, ushort limit, float opposite, List<Scored> near)
    {
        int slot = 0;
        Vector<ushort> most = new(limit);
        while (slot < distances.Length)
        {
            if (distances.Length - slot >= Vector<ushort>.Count && Vector.GreaterThanAll(new Vector<ushort>(distances[slot..]), most))
            {
                slot += Vector<ushort>.Count;
                continue;
            }

            for (int end = Math.Min(slot + Vector<ushort>.Count, distances.Length); slot < end; slot++)
            {
                if (distances[slot] <= limit)
                {
                    near.Add(new Scored(1 - (2 * distances[slot] / opposite), slot));
                }
            }
        }
    }

    private int Distances(Block block, int count, ReadOnlySpan<ulong> signs, ReadOnlySpan<ulong> large, in Fence fence, Span<ushort> distances, Span<int> histogram)
    {
        // The common case, one scope and no other condition, is a loop of a few instructions an item.
        bool plain = fence.Scopes.Length == 1 && fence.From == 0 && fence.To == uint.MaxValue && fence.Allows is null;
        int only = plain ? fence.Scopes[0] : -1, items = 0;
        ReadOnlySpan<int> scopes = block.Scopes.AsSpan(0, count);
        ReadOnlySpan<Bits256> four = SignWords == SignBits.MostWords ? MemoryMarshal.Cast<ulong, Bits256>(block.Signs.AsSpan(0, count * SignWords)) : [];
        Bits256 asked = four.IsEmpty ? default : MemoryMarshal.Read<Bits256>(MemoryMarshal.AsBytes(signs)), weighty = four.IsEmpty ? default : MemoryMarshal.Read<Bits256>(MemoryMarshal.AsBytes(large));
        for (int i = 0; i < count; i++)
        {
            if (plain ? scopes[i] != only : !Passes(block, i, fence))
            {
                distances[i] = Fenced;
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
}
