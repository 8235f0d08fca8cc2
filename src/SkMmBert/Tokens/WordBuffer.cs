namespace SkMmBert;

/// <summary>Normalised text and where each unit of it came from.</summary>
internal sealed class WordBuffer
{
    private const int Kept = 1 << 16;

    public char[] Text = [];
    public int[] Starts = [];
    public int[] Ends = [];

    public int Count { get; set; }

    /// <summary>Combining characters that wait for their canonical order: class, character, and whether it came with the one before.</summary>
    public List<(int Class, int Character, bool Inserted)> Marks { get; } = [];

    /// <summary>Where the waiting characters came from, in the order of the text.</summary>
    public List<TokenOffset> MarkOrigins { get; } = [];

    public void Add(char unit, int start, int end)
    {
        if (Count == Text.Length)
        {
            int size = Math.Max(256, 2 * Count);
            Array.Resize(ref Text, size);
            Array.Resize(ref Starts, size);
            Array.Resize(ref Ends, size);
        }

        Text[Count] = unit;
        Starts[Count] = start;
        Ends[Count++] = end;
    }

    public void Trim()
    {
        if (Text.Length > Kept)
        {
            Text = [];
            Starts = Ends = [];
        }
    }
}
