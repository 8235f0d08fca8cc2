namespace SkMmBert;

/// <summary>Memory of one running call; kept by the tokenizer between calls.</summary>
internal sealed class EncodeState
{
    private const int Kept = 1 << 16;

    public int[] Ids { get; private set; } = new int[512];

    public TokenOffset[] Offsets { get; private set; } = new TokenOffset[512];

    /// <summary>Ids that words turned into before.</summary>
    public WordCache Words => field ??= new WordCache();

    public MergeScratch Merge => field ??= new MergeScratch();

    public WordBuffer Buffer => field ??= new WordBuffer();

    public void Grow(int least, bool offsets)
    {
        int size = (int)Math.Min(Array.MaxLength, Math.Max(2L * Ids.Length, least));
        int[] ids = Ids;
        Array.Resize(ref ids, size);
        Ids = ids;
        if (offsets || Offsets.Length < size)
        {
            TokenOffset[] spans = Offsets;
            Array.Resize(ref spans, size);
            Offsets = spans;
        }
    }

    /// <summary>Gives back what one very long text needed.</summary>
    public void Trim()
    {
        if (Ids.Length > Kept)
        {
            Ids = new int[512];
            Offsets = new TokenOffset[512];
        }

        Merge.Trim();
        Buffer.Trim();
    }
}
