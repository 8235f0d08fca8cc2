namespace SkMmBert;

/// <summary>How a search that reranks asks and orders.</summary>
public sealed record RerankingSearchOptions
{
    /// <summary>How many times as many results as wanted are asked for.</summary>
    /// <value>The default is 4.</value>
    public int OverFetch { get; init; } = 4;

    /// <summary>Most results asked for because of <see cref="OverFetch"/>; a search that wants more than this gets what it wants.</summary>
    /// <value>The default is 50.</value>
    public int MaximumFetch { get; init; } = 50;

    /// <summary>Effort, limits and floor of the reranking; a failing reranker leaves the first order unless this says otherwise.</summary>
    /// <value>The default is <see langword="null"/>: the reranker's own, failing open.</value>
    public RerankOptions? Rerank { get; init; }

    internal OverFetch Fetch => new(OverFetch, MaximumFetch);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(OverFetch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumFetch, 1);
    }
}
