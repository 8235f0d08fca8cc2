namespace SkMmBert;

/// <summary>How many candidates a search is asked for so that a reranker has something to choose from.</summary>
/// <param name="Factor">Candidates for each result wanted.</param>
/// <param name="Maximum">Most candidates, unless more results than this are wanted.</param>
internal readonly record struct OverFetch(int Factor, int Maximum)
{
    /// <summary>Candidates for the results <paramref name="skip"/> to <paramref name="skip"/> + <paramref name="wanted"/>; never fewer than these.</summary>
    public int For(int wanted, int skip = 0)
    {
        long needed = (long)wanted + skip;
        return (int)Math.Min(int.MaxValue, Math.Max(needed, Math.Min(Maximum, needed * Factor)));
    }
}
