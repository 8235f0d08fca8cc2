using System.Numerics;
using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Which two neighbouring ids merge, into what, and how early.</summary>
/// <remarks>Open addressing; one slot is 16 bytes, so a lookup touches one cache line nearly always.</remarks>
internal sealed class MergeTable
{
    /// <summary>What <see cref="Find"/> returns for two ids that do not merge; larger than every merge.</summary>
    public const ulong None = ulong.MaxValue;

    private const int Chunk = 1 << 16;
    private const int LongestPiece = 1024;

    private readonly Slot[] _slots;
    private readonly int _shift;

    private MergeTable(List<(int Left, int Right, int Merged)[]> chunks, int count)
    {
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, count + (count / 2)))];
        _shift = 64 - BitOperations.Log2((uint)_slots.Length);
        for (int rank = 0; rank < count; rank++)
        {
            (int left, int right, int merged) = chunks[rank / Chunk][rank % Chunk];
            Insert(left, right, ((ulong)rank << 32) | (uint)merged);
        }
    }

    /// <summary>Rank in the upper half, merged id in the lower; <see cref="None"/> if the pair does not merge.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Find(int left, int right)
    {
        ulong key = Key(left, right);
        Slot[] slots = _slots;
        uint slot = (uint)((key * 0x9E3779B97F4A7C15) >> _shift);
        while (true)
        {
            ref Slot entry = ref slots[slot & (uint)(slots.Length - 1)];
            if (entry.Key == key)
            {
                return entry.Merge;
            }

            if (entry.Key == 0)
            {
                return None;
            }

            slot++;
        }
    }

    /// <summary>Every (left, right, merged).</summary>
    public IEnumerable<(int Left, int Right, int Merged)> All()
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Key != 0)
            {
                yield return ((int)((slot.Key - 1) >> 32), (int)(uint)(slot.Key - 1), (int)(uint)slot.Merge);
            }
        }
    }

    /// <summary>Reads <c>["a b", …]</c> or <c>[["a", "b"], …]</c>; the position is the rank.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static MergeTable Read(ref JsonScanner json, Vocabulary vocabulary)
    {
        List<(int Left, int Right, int Merged)[]> chunks = [];
        int count = 0;
        byte[] joined = new byte[LongestPiece];
        json.Take((byte)'[');
        if (!json.TryTake((byte)']'))
        {
            do
            {
                (int Left, int Right, int Merged) merge = ReadMerge(ref json, vocabulary, joined);
                if (count % Chunk == 0)
                {
                    chunks.Add(new (int, int, int)[Chunk]);
                }

                chunks[^1][count++ % Chunk] = merge;
            }
            while (json.Next((byte)']'));
        }

        return new MergeTable(chunks, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int Left, int Right, int Merged) ReadMerge(ref JsonScanner json, Vocabulary vocabulary, byte[] joined)
    {
        int split;
        int length;
        if (json.TryTake((byte)'['))
        {
            ReadOnlySpan<byte> part = json.ReadString();
            CheckFits(part.Length, ref json);
            part.CopyTo(joined);
            split = part.Length;
            json.Take((byte)',');
            part = json.ReadString();
            length = split + part.Length;
            CheckFits(length, ref json);
            part.CopyTo(joined.AsSpan(split));
            json.Take((byte)']');
        }
        else
        {
            ReadOnlySpan<byte> both = json.ReadString();
            split = both.IndexOf((byte)' ');
            if (split < 0 || both[(split + 1)..].Contains((byte)' '))
            {
                throw json.Fault("a merge must be two pieces parted by one space");
            }

            length = both.Length - 1;
            CheckFits(length, ref json);
            both[..split].CopyTo(joined);
            both[(split + 1)..].CopyTo(joined.AsSpan(split));
        }

        int left = vocabulary.Find(joined.AsSpan(0, split));
        int right = vocabulary.Find(joined.AsSpan(split, length - split));
        int merged = vocabulary.Find(joined.AsSpan(0, length));
        if (left < 0 || right < 0 || merged < 0)
        {
            string missing = System.Text.Encoding.UTF8.GetString(left < 0 ? joined.AsSpan(0, split) : right < 0 ? joined.AsSpan(split, length - split) : joined.AsSpan(0, length));
            throw json.Fault($"a merge names the piece '{missing}', which is not in the vocabulary");
        }

        return (left, right, merged);
    }

    private static void CheckFits(int length, ref JsonScanner json)
    {
        if (length > LongestPiece)
        {
            throw json.Fault($"a merge makes a piece of {length} bytes; at most {LongestPiece} are allowed");
        }
    }

    private void Insert(int left, int right, ulong merge)
    {
        ulong key = Key(left, right);
        uint mask = (uint)_slots.Length - 1;
        uint slot = (uint)((key * 0x9E3779B97F4A7C15) >> _shift);
        while (_slots[slot & mask].Key is not 0 and ulong found && found != key)
        {
            slot++;
        }

        _slots[slot & mask] = new Slot { Key = key, Merge = merge };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    private struct Slot
    {
        public ulong Key;   // left << 32 | right, plus one; 0 = free
        public ulong Merge; // rank << 32 | merged id
    }
}
