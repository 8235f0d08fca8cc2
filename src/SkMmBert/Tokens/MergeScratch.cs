namespace SkMmBert;

/// <summary>The symbols of the word that is being merged.</summary>
internal sealed class MergeScratch
{
    /// <summary>Words of more symbols are merged with a heap.</summary>
    public const int Short = 64;

    private const int Kept = 1 << 16;

    public int[] Ids = new int[Short + 8];
    public ulong[] Pairs = new ulong[Short + 8];
    public int[] Starts = [];
    public int[] Ends = [];
    public int[] Previous = [];
    public int[] Next = [];
    public ulong[] Heap = [];

    public void Reserve(int symbols)
    {
        if (Ids.Length < symbols)
        {
            int size = Math.Max(symbols, 2 * Ids.Length);
            Array.Resize(ref Ids, size);
        }
    }

    public void ReserveLinks(int symbols)
    {
        Reserve(symbols);
        if (Starts.Length < Ids.Length)
        {
            Array.Resize(ref Starts, Ids.Length);
            Array.Resize(ref Ends, Ids.Length);
            Array.Resize(ref Previous, Ids.Length);
            Array.Resize(ref Next, Ids.Length);
        }
    }

    public void Trim()
    {
        if (Ids.Length > Kept || Heap.Length > Kept)
        {
            Ids = new int[Short + 8];
            Starts = Ends = Previous = Next = [];
            Heap = [];
        }
    }
}
