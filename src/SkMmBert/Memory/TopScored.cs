namespace SkMmBert;

/// <summary>A slot with the score a stage gave it.</summary>
internal readonly record struct Scored(float Score, int Slot);

/// <summary>Keeps the best <paramref name="capacity"/> of many scores; of equal ones, the lower slot.</summary>
internal sealed class TopScored(int capacity)
{
    // A heap with the worst kept one on top.
    private readonly PriorityQueue<Scored, Scored> _kept = new(Math.Min(capacity, 4_096), WorstFirst);

    private static readonly Comparer<Scored> WorstFirst =
        Comparer<Scored>.Create((a, b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : b.Slot.CompareTo(a.Slot));

    public bool Admits(float score, int slot) =>
        capacity > 0 && (_kept.Count < capacity || WorstFirst.Compare(new Scored(score, slot), _kept.Peek()) > 0);

    public void Offer(float score, int slot)
    {
        Scored offered = new(score, slot);
        if (_kept.Count < capacity)
        {
            _kept.Enqueue(offered, offered);
        }
        else if (Admits(score, slot))
        {
            _kept.EnqueueDequeue(offered, offered);
        }
    }

    public List<Scored> BestFirst()
    {
        List<Scored> all = new(_kept.Count);
        while (_kept.TryDequeue(out Scored scored, out _))
        {
            all.Add(scored);
        }

        all.Reverse();
        return all;
    }
}
