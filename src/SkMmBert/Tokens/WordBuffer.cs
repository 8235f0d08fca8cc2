namespace SkMmBert;

/// <summary>Normalised text and where each unit of it came from.</summary>
internal sealed class WordBuffer
{
    private const int Kept = 1 << 16;

    public char[] Text = [];
    public int[] Starts = [];
    public int[] Ends = [];

    public int Count { get; set; }

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

    public int CharacterAt(int at) => char.IsHighSurrogate(Text[at]) ? char.ConvertToUtf32(Text[at], Text[at + 1]) : Text[at];

    /// <summary>Moves what starts at <paramref name="middle"/> in front of what starts at <paramref name="first"/>.</summary>
    public void Rotate(int first, int middle)
    {
        Rotate(Text.AsSpan(first, Count - first), middle - first);
        Rotate(Starts.AsSpan(first, Count - first), middle - first);
        Rotate(Ends.AsSpan(first, Count - first), middle - first);
    }

    private static void Rotate<T>(Span<T> span, int middle)
    {
        span[..middle].Reverse();
        span[middle..].Reverse();
        span.Reverse();
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
