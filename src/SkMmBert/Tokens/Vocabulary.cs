using System.Runtime.CompilerServices;
using System.Text;

namespace SkMmBert;

/// <summary>The pieces of a model: id to UTF-8 bytes and back.</summary>
internal sealed class Vocabulary
{
    private readonly byte[] _arena;
    private readonly int[] _starts;   // [Count + 1]; an id without a piece has no bytes
    private readonly int[] _slots;    // open addressing: id + 1, 0 = free
    private readonly int _shift;

    private Vocabulary(byte[] arena, int[] starts, int[] slots)
    {
        _arena = arena;
        _starts = starts;
        _slots = slots;
        _shift = 64 - System.Numerics.BitOperations.Log2((uint)slots.Length);
    }

    /// <summary>The highest id plus one.</summary>
    public int Count => _starts.Length - 1;

    /// <summary>The number of pieces; less than <see cref="Count"/> where ids are left out.</summary>
    public int Pieces { get; private init; }

    public ReadOnlySpan<byte> this[int id] => _arena.AsSpan(_starts[id], _starts[id + 1] - _starts[id]);

    public string Text(int id) => Encoding.UTF8.GetString(this[id]);

    public bool TryFind(string piece, out int id)
    {
        Span<byte> utf8 = piece.Length <= 128 ? stackalloc byte[384] : new byte[Encoding.UTF8.GetMaxByteCount(piece.Length)];
        id = Find(utf8[..Encoding.UTF8.GetBytes(piece, utf8)]);
        return id >= 0;
    }

    /// <summary>The id of a piece, or -1.</summary>
    public int Find(ReadOnlySpan<byte> piece)
    {
        int mask = _slots.Length - 1;
        for (int slot = (int)(Hash(piece) >> _shift); ; slot = (slot + 1) & mask)
        {
            int id = _slots[slot] - 1;
            if (id < 0 || this[id].SequenceEqual(piece))
            {
                return id;
            }
        }
    }

    /// <summary>Reads <c>{"piece": id, …}</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vocabulary Read(ref JsonScanner json)
    {
        byte[] bytes = new byte[1 << 16];
        int used = 0;
        List<(int Start, int Id)> entries = [];
        int highest = -1;
        json.Take((byte)'{');
        if (!json.TryTake((byte)'}'))
        {
            do
            {
                ReadOnlySpan<byte> piece = json.ReadString();
                if (used + piece.Length > bytes.Length)
                {
                    Array.Resize(ref bytes, Math.Max(2 * bytes.Length, used + piece.Length));
                }

                piece.CopyTo(bytes.AsSpan(used));
                json.Take((byte)':');
                int id = json.ReadInt();
                entries.Add((used, id));
                used += piece.Length;
                highest = Math.Max(highest, id);
            }
            while (json.Next((byte)'}'));
        }

        if (highest > (4L * entries.Count) + 65_536)
        {
            throw json.Fault($"the vocabulary has {entries.Count} pieces but an id {highest}; ids must lie close together");
        }

        return Build(bytes, used, entries, highest + 1, ref json);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vocabulary Build(byte[] bytes, int used, List<(int Start, int Id)> entries, int count, ref JsonScanner json)
    {
        int[] from = new int[count];
        int[] starts = new int[count + 1];
        Array.Fill(from, -1);
        for (int entry = 0; entry < entries.Count; entry++)
        {
            (int start, int id) = entries[entry];
            int end = entry + 1 < entries.Count ? entries[entry + 1].Start : used;
            if (from[id] >= 0)
            {
                throw json.Fault($"the vocabulary gives id {id} to two pieces");
            }

            from[id] = start;
            starts[id + 1] = end - start;
        }

        byte[] arena = new byte[used];
        for (int id = 0; id < count; id++)
        {
            int length = starts[id + 1];
            if (length > 0)
            {
                Buffer.BlockCopy(bytes, from[id], arena, starts[id], length);
            }

            starts[id + 1] = starts[id] + length;
        }

        int[] slots = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2 * entries.Count - entries.Count / 2))];
        Vocabulary vocabulary = new(arena, starts, slots) { Pieces = entries.Count };
        int mask = slots.Length - 1;
        for (int id = 0; id < count; id++)
        {
            if (from[id] < 0)
            {
                continue;
            }

            ReadOnlySpan<byte> piece = vocabulary[id];
            int slot = (int)(Hash(piece) >> vocabulary._shift);
            while (slots[slot] != 0)
            {
                if (vocabulary[slots[slot] - 1].SequenceEqual(piece))
                {
                    throw json.Fault($"the vocabulary has the piece of id {id} twice");
                }

                slot = (slot + 1) & mask;
            }

            slots[slot] = id + 1;
        }

        return vocabulary;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = (ulong)bytes.Length * 0x9E3779B97F4A7C15;
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ Unsafe.ReadUnaligned<ulong>(in bytes[0]));
            bytes = bytes[8..];
        }

        ulong tail = 0;
        for (int at = 0; at < bytes.Length; at++)
        {
            tail = (tail << 8) | bytes[at];
        }

        return Mix(hash ^ tail);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93;
        return (value ^ (value >> 29)) * 0x9E3779B97F4A7C15;
    }
}
