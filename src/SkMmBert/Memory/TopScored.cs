namespace SkMmBert;

/// <summary>A slot with the score a stage gave it.</summary>
internal readonly record struct Scored(float Score, int Slot)
{
    /// <summary>Whether this one comes before the other: a higher score, or of equal ones the lower slot.</summary>
    public bool Beats(in Scored other) => Score > other.Score || (Score == other.Score && Slot < other.Slot);
}

/// <summary>Keeps the best <paramref name="capacity"/> of many scores; of equal ones, the lower slot.</summary>
internal sealed class TopScored(int capacity)
{
    private readonly List<Scored> _heap = new(Math.Min(capacity, 4_096)); // the worst kept one is first

    /// <summary>What a score must reach to have a chance: cheaper to ask in a loop than an offer.</summary>
    public float Least { get; private set; } = float.NegativeInfinity;

    public bool Admits(float score, int slot) => capacity > 0 && (_heap.Count < capacity || new Scored(score, slot).Beats(_heap[0]));

    public void Offer(float score, int slot)
    {
        if (!Admits(score, slot))
        {
            return;
        }

        Scored offered = new(score, slot);
        int at = _heap.Count;
        if (at < capacity)
        {
            _heap.Add(offered);
            for (int parent; at > 0 && _heap[parent = (at - 1) / 2].Beats(offered); at = parent)
            {
                _heap[at] = _heap[parent];
            }

            _heap[at] = offered;
            Least = _heap.Count == capacity ? _heap[0].Score : Least;
            return;
        }

        at = 0;
        for (int child; (child = (2 * at) + 1) < _heap.Count; at = child)
        {
            child += child + 1 < _heap.Count && _heap[child].Beats(_heap[child + 1]) ? 1 : 0;
            if (!offered.Beats(_heap[child]))
            {
                break;
            }

            _heap[at] = _heap[child];
        }

        _heap[at] = offered;
        Least = _heap[0].Score;
    }

    public List<Scored> BestFirst()
    {
        List<Scored> all = [.. _heap];
        all.Sort((a, b) => a.Beats(b) ? -1 : b.Beats(a) ? 1 : 0);
        return all;
    }
}
