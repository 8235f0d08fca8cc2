namespace SkMmBert.Benchmarks.Memory;

/// <summary>At which place each stage has the items that an exact scan finds: what the widths of the funnel are chosen by.</summary>
internal sealed class StageRanks
{
    private readonly Dictionary<string, List<int>> _ranks = [];

    public void Add(string stage, List<Scored> scored, HashSet<int> exact)
    {
        if (!_ranks.TryGetValue(stage, out List<int>? ranks))
        {
            _ranks[stage] = ranks = [];
        }

        Scored[] wanted = [.. scored.Where(one => exact.Contains(one.Slot))];
        float[] better = [.. scored.Select(one => one.Score).Where(score => score > wanted.Min(one => one.Score))];
        ranks.AddRange(wanted.Select(one => 1 + better.Count(score => score > one.Score)));
        ranks.AddRange(Enumerable.Repeat(int.MaxValue, exact.Count - wanted.Length));
    }

    /// <summary>For each stage the rank within which it has 98, 99, 99.5 and 99.8 % of the items; "more" where it lost them.</summary>
    public override string ToString() => string.Join("; ", _ranks.Select(pair => $"{pair.Key} {string.Join(' ', ((double[])[0.98, 0.99, 0.995, 0.998]).Select(share => At(pair.Value, share)))}"));

    private static string At(List<int> ranks, double share)
    {
        int rank = ranks.Order().ElementAt(Math.Min(ranks.Count - 1, (int)(share * ranks.Count)));
        return rank == int.MaxValue ? "more" : $"{rank}";
    }
}
