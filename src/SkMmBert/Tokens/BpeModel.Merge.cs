using System.Runtime.CompilerServices;
using System.Text;

namespace SkMmBert;

/// <content>Merging: always the pair with the lowest rank, of equals the leftmost.</content>
internal sealed partial class BpeModel
{
    /// <summary>Merges a segment of a plain model; the ids are valid until the next call with this scratch.</summary>
    public ReadOnlySpan<int> Merge(ReadOnlySpan<char> segment, WordPrefix prefix, MergeScratch scratch)
    {
        // Four byte tokens for two units at most, three for one; three for a word start that is not in the vocabulary.
        scratch.Reserve((3 * segment.Length) + 3);
        int[] ids = scratch.Ids;
        int count = prefix == WordPrefix.None ? 0 : AddCharacter(_wordStart, ids, 0);
        for (int at = 0; at < segment.Length; at++)
        {
            char unit = segment[at];
            int codePoint = unit == _space ? _wordStart : unit;
            if (char.IsSurrogate(unit))
            {
                bool whole = char.IsHighSurrogate(unit) && at + 1 < segment.Length && char.IsLowSurrogate(segment[at + 1]);
                codePoint = whole ? char.ConvertToUtf32(unit, segment[++at]) : 0xFFFD;
            }

            count = AddCharacter(codePoint, ids, count);
        }

        return count > MergeScratch.Short ? MergeLong(scratch, count) : ids.AsSpan(0, MergeShort(ids, scratch.Pairs, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int AddCharacter(int codePoint, int[] ids, int count)
    {
        int id = _characters.Find(codePoint);
        if (id >= 0)
        {
            ids[count] = id;
            return count + 1;
        }

        return AddBytes(codePoint, ids, count);
    }

    private int AddBytes(int codePoint, int[] ids, int count)
    {
        Span<byte> bytes = stackalloc byte[4];
        int length = new Rune(codePoint).EncodeToUtf8(bytes);
        for (int at = 0; at < length; at++)
        {
            ids[count++] = _byteIds[bytes[at]];
        }

        return count;
    }

    // Few symbols: look at all pairs each time; pairs[i] is what ids[i] and ids[i + 1] merge to.
    private int MergeShort(int[] ids, ulong[] pairs, int count)
    {
        MergeTable merges = _merges;
        for (int at = 0; at + 1 < count; at++)
        {
            pairs[at] = merges.Find(ids[at], ids[at + 1]);
        }

        while (count > 1)
        {
            ulong best = MergeTable.None;
            int place = 0;
            for (int at = 0; at < count - 1; at++)
            {
                if (pairs[at] < best)
                {
                    best = pairs[at];
                    place = at;
                }
            }

            if (best == MergeTable.None)
            {
                break;
            }

            ids[place] = (int)(uint)best;
            count--;
            for (int at = place + 1; at < count; at++)
            {
                ids[at] = ids[at + 1];
                pairs[at - 1] = pairs[at];
            }

            if (place > 0)
            {
                pairs[place - 1] = merges.Find(ids[place - 1], ids[place]);
            }

            if (place + 1 < count)
            {
                pairs[place] = merges.Find(ids[place], ids[place + 1]);
            }
        }

        return count;
    }

    // Many symbols: linked list and heap, n log n. The ids are gathered at the front afterwards.
    private ReadOnlySpan<int> MergeLong(MergeScratch scratch, int count)
    {
        scratch.ReserveLinks(count);
        Link(scratch, count);
        MergeHeap.Run(scratch, count, _merges);
        int kept = 0;
        for (int at = 0; at >= 0; at = scratch.Next[at])
        {
            scratch.Ids[kept++] = scratch.Ids[at];
        }

        return scratch.Ids.AsSpan(0, kept);
    }

    private static void Link(MergeScratch scratch, int count)
    {
        for (int at = 0; at < count; at++)
        {
            scratch.Previous[at] = at - 1;
            scratch.Next[at] = at + 1 < count ? at + 1 : -1;
        }
    }
}
