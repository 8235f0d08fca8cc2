using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Where tokens go: memory of the caller, growing pooled memory, or just a counter. Refuses what is over the limit.</summary>
internal ref struct TokenSink
{
    private readonly EncodeState? _growing;
    private readonly bool _counts;
    private Span<int> _ids;
    private Span<TokenOffset> _offsets;

    private TokenSink(EncodeState state, int limit, EncodeState? growing, bool counts, Span<int> ids, Span<TokenOffset> offsets)
    {
        State = state;
        Limit = limit;
        _growing = growing;
        _counts = counts;
        _ids = ids;
        _offsets = offsets;
    }

    public EncodeState State { get; }

    public int Limit { get; }

    public int Count { get; private set; }

    /// <summary>Whether a token came that did not fit.</summary>
    public bool Full { get; private set; }

    /// <summary>End of the last character whose tokens were all taken, in the text.</summary>
    public int End { get; private set; }

    public readonly bool WantsOffsets => !_offsets.IsEmpty;

    public static TokenSink Into(EncodeState state, Span<int> ids, Span<TokenOffset> offsets) => new(state, ids.Length, null, false, ids, offsets);

    public static TokenSink Counting(EncodeState state, int limit) => new(state, limit, null, true, [], []);

    /// <summary>Collects in the state's own arrays.</summary>
    public static TokenSink Collecting(EncodeState state, int limit, bool offsets) => new(state, limit, state, false, state.Ids, offsets ? state.Offsets : []);

    public bool Add(int id, int start, int end)
    {
        if (Count >= Limit)
        {
            // A character whose tokens are not all here does not count as read.
            End = Math.Min(End, start);
            Full = true;
            return false;
        }

        if (!_counts)
        {
            if (Count == _ids.Length)
            {
                Grow(Count + 1);
            }

            _ids[Count] = id;
            if (!_offsets.IsEmpty)
            {
                _offsets[Count] = new TokenOffset(start, end);
            }
        }

        Count++;
        End = end;
        return true;
    }

    /// <summary>Takes all ids of a word that ends at <paramref name="end"/>; false if offsets are wanted or not all fit: then they must be added one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAddWord(ReadOnlySpan<int> ids, int end)
    {
        int count = Count + ids.Length;
        if (count > Limit || !_offsets.IsEmpty)
        {
            return false;
        }

        if (!_counts)
        {
            if (count > _ids.Length)
            {
                Grow(count);
            }

            Span<int> to = _ids[Count..];
            for (int at = 0; at < ids.Length; at++)
            {
                to[at] = ids[at];
            }
        }

        Count = count;
        End = end;
        return true;
    }

    private void Grow(int least)
    {
        _growing!.Grow(least, !_offsets.IsEmpty);
        _ids = _growing.Ids;
        if (!_offsets.IsEmpty)
        {
            _offsets = _growing.Offsets;
        }
    }
}
