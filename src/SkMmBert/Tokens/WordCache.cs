using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SkMmBert;

/// <summary>Remembers the ids of short words: bounded, one cache line a word, two places for each.</summary>
/// <remarks>Not thread-safe: each running call has its own. A word is up to 16 UTF-16 units, zero padded, and compared whole, so a hit is exact.</remarks>
internal sealed unsafe class WordCache
{
    /// <summary>UTF-16 units of the longest word that is remembered.</summary>
    public const int LongestWord = 16;

    private const int LongestTokens = 7;
    private const int Bits = 14; // sets of two lines of 64 bytes: 2 MiB

    private readonly byte[] _memory = GC.AllocateArray<byte>((2 << Bits) * sizeof(Line) + 64, pinned: true);
    private readonly Line* _lines;

    public WordCache()
    {
        nuint start = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        _lines = (Line*)((start + 63) & ~(nuint)63);
    }

    /// <summary>The key of a word: its units, zero padded.</summary>
    public static Vector256<ushort> Key(ReadOnlySpan<char> word)
    {
        Vector256<ushort> key = default;
        word.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Vector256<ushort>, char>(ref key), LongestWord));
        return key;
    }

    /// <summary>The ids of a word, valid until the next <see cref="Add"/>; empty if it is not known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<int> Find(Vector256<ushort> key, uint shape)
    {
        Line* line = _lines + (Hash(key, shape) >> (64 - Bits) << 1);
        if (line->Shape == shape && line->Key == key)
        {
            return new ReadOnlySpan<int>(line->Ids, line->Count);
        }

        line++;
        return line->Shape == shape && line->Key == key ? new ReadOnlySpan<int>(line->Ids, line->Count) : [];
    }

    public void Add(Vector256<ushort> key, uint shape, ReadOnlySpan<int> ids)
    {
        if (ids.Length > LongestTokens)
        {
            return;
        }

        Line* line = _lines + (Hash(key, shape) >> (64 - Bits) << 1);
        line[1] = line[0];
        line->Key = key;
        line->Shape = (ushort)shape;
        line->Count = (ushort)ids.Length;
        ids.CopyTo(new Span<int>(line->Ids, LongestTokens));
    }

    /// <summary>Length and whether the model's word start stands before the word; never 0, which marks a free line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Shape(int length, bool prefix) => (uint)length | (prefix ? 0x300u : 0x200u);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(Vector256<ushort> key, uint shape)
    {
        Vector256<ulong> quarters = key.AsUInt64();
        ulong hash = ((quarters.GetElement(0) + shape) * 0x9E3779B97F4A7C15)
            ^ BitOperations.RotateLeft(quarters.GetElement(1) * 0xD6E8FEB86659FD93, 17)
            ^ BitOperations.RotateLeft(quarters.GetElement(2) * 0xA0761D6478BD642F, 31)
            ^ BitOperations.RotateLeft(quarters.GetElement(3) * 0xE7037ED1A0B428DB, 47);
        return (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15;
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Line
    {
        public Vector256<ushort> Key;
        public fixed int Ids[LongestTokens];
        public ushort Shape;
        public ushort Count;
    }
}
