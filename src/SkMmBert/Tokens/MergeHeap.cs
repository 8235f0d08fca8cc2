namespace SkMmBert;

/// <summary>Merges a long run of linked symbols: a binary heap of (rank, place), entries that no longer hold are dropped when they come up.</summary>
internal static class MergeHeap
{
    public static void Run(MergeScratch symbols, int count, MergeTable merges)
    {
        int[] ids = symbols.Ids;
        int[] next = symbols.Next;
        int[] previous = symbols.Previous;
        int size = 0;
        for (int at = 0; at + 1 < count; at++)
        {
            Push(symbols, ref size, merges.Find(ids[at], ids[at + 1]), at);
        }

        while (size > 0)
        {
            ulong top = Pop(symbols.Heap, ref size);
            int place = (int)(uint)top;
            int right = next[place];
            if (right < 0 || ids[place] < 0)
            {
                continue;
            }

            // A rank belongs to one pair of ids: the entry holds if that pair still stands here.
            ulong merge = merges.Find(ids[place], ids[right]);
            if (merge >> 32 != top >> 32)
            {
                continue;
            }

            ids[place] = (int)(uint)merge;
            symbols.Ends[place] = symbols.Ends[right];
            ids[right] = -1;
            int after = next[right];
            next[place] = after;
            if (after >= 0)
            {
                previous[after] = place;
                Push(symbols, ref size, merges.Find(ids[place], ids[after]), place);
            }

            if (previous[place] is >= 0 and int before)
            {
                Push(symbols, ref size, merges.Find(ids[before], ids[place]), before);
            }
        }
    }

    private static void Push(MergeScratch symbols, ref int size, ulong merge, int place)
    {
        if (merge == MergeTable.None)
        {
            return;
        }

        if (size == symbols.Heap.Length)
        {
            Array.Resize(ref symbols.Heap, Math.Max(256, 2 * size));
        }

        ulong[] heap = symbols.Heap;
        ulong entry = (merge & 0xFFFFFFFF_00000000) | (uint)place;
        int at = size++;
        while (at > 0 && heap[(at - 1) / 2] is var parent && parent > entry)
        {
            heap[at] = parent;
            at = (at - 1) / 2;
        }

        heap[at] = entry;
    }

    private static ulong Pop(ulong[] heap, ref int size)
    {
        ulong top = heap[0];
        ulong last = heap[--size];
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child >= size)
            {
                break;
            }

            if (child + 1 < size && heap[child + 1] < heap[child])
            {
                child++;
            }

            if (heap[child] >= last)
            {
                break;
            }

            heap[at] = heap[child];
            at = child;
        }

        heap[at] = last;
        return top;
    }
}
