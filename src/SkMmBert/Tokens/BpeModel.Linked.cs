using System.Text;

namespace SkMmBert;

/// <content>Models with unknown tokens, or whose byte tokens merge: each symbol carries its place in the text.</content>
internal sealed partial class BpeModel
{
    /// <summary>Merges a segment of any model; the symbols are linked, with [start, end) in units of the segment and its real prefix.</summary>
    public MergeScratch MergeLinked(ReadOnlySpan<char> segment, WordPrefix prefix, MergeScratch scratch)
    {
        scratch.ReserveLinks((3 * segment.Length) + 3);
        int count = 0;
        int place = 0;
        bool afterUnknown = false;
        if (prefix != WordPrefix.None)
        {
            place = prefix == WordPrefix.Real ? 1 : 0;
            AddLinked(scratch, _wordStart, 0, place, ref count, ref afterUnknown);
        }

        for (int at = 0; at < segment.Length;)
        {
            Rune.DecodeFromUtf16(segment[at..], out Rune rune, out int width);
            int codePoint = rune.Value == _space ? _wordStart : rune.Value;
            AddLinked(scratch, codePoint, place, place + width, ref count, ref afterUnknown);
            at += width;
            place += width;
        }

        for (int at = 0; at < count; at++)
        {
            scratch.Previous[at] = at - 1;
            scratch.Next[at] = at + 1 < count ? at + 1 : -1;
        }

        MergeHeap.Run(scratch, count, _merges);
        return scratch;
    }

    private void AddLinked(MergeScratch scratch, int codePoint, int start, int end, ref int count, ref bool afterUnknown)
    {
        int first = count;
        int id = _characters.Find(codePoint);
        bool unknown = id < 0 && _byteIds[0xC2] < 0;
        if (unknown && afterUnknown && _fusesUnknown)
        {
            scratch.Ends[count - 1] = end;
            return;
        }

        afterUnknown = unknown;
        if (id >= 0 || unknown)
        {
            scratch.Ids[count++] = unknown ? _unknown : id;
        }
        else
        {
            count = AddBytes(codePoint, scratch.Ids, count);
        }

        for (int at = first; at < count; at++)
        {
            scratch.Starts[at] = start;
            scratch.Ends[at] = end;
        }
    }
}
