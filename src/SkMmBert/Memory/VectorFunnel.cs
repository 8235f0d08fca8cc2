namespace SkMmBert;

/// <summary>
/// Narrows a search by vector: sign bits over everything, bytes of the route tier on those near, bytes of the retrieve tier on the
/// best, full vectors on the last. Holds only what the first two stages need; the store supplies the rest for the few that get so far.
/// </summary>
/// <remarks>
/// <para>The two middle stages estimate the full cosine: what a tier's bytes do not cover, the sign bits beyond it stand in for.
/// That makes a narrow tier as good as a wider one, so the shortlists can be short.</para>
/// <para>Slots count up in the order they were added. Searches may run side by side; writes need the store's lock.</para>
/// </remarks>
internal sealed partial class VectorFunnel(MemoryModel model)
{
    private const int BlockSlots = 4_096; // blocks never move and waste at most one block: no copy of a list that grows

    private readonly List<Block> _blocks = [];

    /// <summary>Bytes a slot takes: signs, route bytes, and five numbers of four.</summary>
    public int BytesPerSlot => (8 * SignWords) + RouteLength + 20;

    public int Slots { get; private set; }

    public int Alive { get; private set; }

    public int RouteLength { get; } = model.Tiers[0];

    /// <summary>Length of the middle tier; 0 when the model has only two tiers or one.</summary>
    public int RetrieveLength { get; } = model.Tiers.Count >= 3 ? model.Tiers[^2] : 0;

    public int FullLength { get; } = model.Dimensions;

    public int SignWords { get; } = SignBits.Words(model.Dimensions);

    private sealed class Block(int signWords, int routeLength)
    {
        public readonly ulong[] Signs = new ulong[BlockSlots * signWords]; // [slots, words]
        public readonly sbyte[] Route = new sbyte[BlockSlots * routeLength]; // [slots, route]
        public readonly float[] Scales = new float[BlockSlots];
        public readonly float[] Tails = new float[BlockSlots]; // mean size of the numbers beyond the route tier
        public readonly int[] Keys = new int[BlockSlots]; // -1 when removed
        public readonly int[] Scopes = new int[BlockSlots]; // -1 when removed, so that no fence lets it through
        public readonly uint[] Times = new uint[BlockSlots]; // seconds since 1970
    }

    /// <summary>What the first two stages know of a vector.</summary>
    public readonly ref struct Coarse(ReadOnlySpan<ulong> signs, ReadOnlySpan<sbyte> route, float scale, float tail)
    {
        public readonly ReadOnlySpan<ulong> Signs = signs;
        public readonly ReadOnlySpan<sbyte> Route = route;
        public readonly float Scale = scale, Tail = tail;
    }

    /// <summary>The stages' verdict on one item.</summary>
    public readonly record struct Found(int Slot, int Key, int SignsRank, float SignsScore, int RouteRank, float RouteScore, int RetrieveRank, float RetrieveScore, float Match);

    /// <summary>What may come back: scopes by number, a time range in seconds, and any other condition on the key.</summary>
    public readonly record struct Fence(int[] Scopes, uint From, uint To, Func<int, bool>? Allows);

    /// <summary>Reads the vectors of some keys, one row after the other.</summary>
    public delegate void ReadFull(ReadOnlySpan<int> keys, Span<float> rows);

    /// <summary>Reads the retrieve-tier bytes and scales of some keys.</summary>
    public delegate void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> scales);

    public void Add(int key, int scope, uint time, in Coarse coarse)
    {
        if (Slots == _blocks.Count * BlockSlots)
        {
            _blocks.Add(new Block(SignWords, RouteLength));
        }

        Block block = _blocks[^1];
        int at = Slots++ % BlockSlots;
        coarse.Signs.CopyTo(block.Signs.AsSpan(at * SignWords));
        coarse.Route.CopyTo(block.Route.AsSpan(at * RouteLength));
        (block.Scales[at], block.Tails[at], block.Keys[at], block.Scopes[at], block.Times[at]) = (coarse.Scale, coarse.Tail, key, scope, time);
        Alive++;
    }

    /// <summary>Adds a vector whose coarse form is not at hand.</summary>
    public void Add(int key, int scope, uint time, ReadOnlySpan<float> vector)
    {
        Span<ulong> signs = stackalloc ulong[SignWords];
        SignBits.Write(vector, signs);
        sbyte[] route = new sbyte[RouteLength];
        float scale = Quantization.ToInt8(vector[..RouteLength], route);
        Add(key, scope, time, new Coarse(signs, route, scale, SignBits.MeanSize(vector, RouteLength)));
    }

    public void Remove(int slot)
    {
        Block block = _blocks[slot / BlockSlots];
        ref int key = ref block.Keys[slot % BlockSlots];
        Alive -= key < 0 ? 0 : 1;
        (key, block.Scopes[slot % BlockSlots]) = (-1, -1);
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

    /// <summary>How many items are within the fence.</summary>
    public int Count(in Fence fence)
    {
        int count = 0;
        for (int b = 0; b < _blocks.Count; b++)
        {
            Block block = _blocks[b];
            for (int at = 0, end = Math.Min(BlockSlots, Slots - (b * BlockSlots)); at < end; at++)
            {
                count += Passes(block, at, fence) ? 1 : 0;
            }
        }

        return count;
    }

    private int Key(int slot) => _blocks[slot / BlockSlots].Keys[slot % BlockSlots];

    private static bool Passes(Block block, int at, in Fence fence)
    {
        int scope = block.Scopes[at];
        return scope >= 0 && (fence.Scopes.Length == 1 ? fence.Scopes[0] == scope : fence.Scopes.AsSpan().Contains(scope)) &&
            block.Times[at] >= fence.From && block.Times[at] <= fence.To && (fence.Allows is null || fence.Allows(block.Keys[at]));
    }
}
