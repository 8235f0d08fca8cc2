namespace SkMmBert;

/// <summary>Hidden states after some layers, kept so that they can be read, or go on to a later exit.</summary>
internal abstract class LayerState : IDisposable
{
    private int _holders = 1;

    /// <summary>Layers run so far; 0 is the embedding output.</summary>
    public abstract int Exit { get; }

    /// <summary>Tokens of each text, [rows].</summary>
    public abstract int[] Lengths { get; }

    /// <summary>The hidden states of all texts one after the other, [tokens, hidden], before any final norm.</summary>
    public abstract ReadOnlySpan<float> Hidden { get; }

    /// <summary>Whether a published graph pooled the texts itself: one state a text.</summary>
    public virtual bool IsPooled => false;

    /// <summary>Lengths of some texts.</summary>
    public int[] LengthsOf(ReadOnlySpan<int> rows)
    {
        int[] lengths = new int[rows.Length];
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Lengths[rows[i]];
        }

        return lengths;
    }

    /// <summary>Copies the states of some texts, one text after the other.</summary>
    public void Copy(ReadOnlySpan<int> rows, Span<float> to)
    {
        int[] starts = LayerRunner.Starts(Lengths);
        int width = Hidden.Length / starts[^1], at = 0;
        foreach (int row in rows)
        {
            Hidden[(starts[row] * width)..(starts[row + 1] * width)].CopyTo(to[at..]);
            at += Lengths[row] * width;
        }
    }

    /// <summary>One more holder: the state is freed when each has disposed it.</summary>
    public LayerState Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Free();
        }
    }

    protected abstract void Free();
}
