namespace SkMmBert;

/// <summary>A reranker with what a search needs to know of it.</summary>
internal sealed class SearchReranking
{
    private readonly Reranker _reranker;
    private readonly RerankingSearchOptions _options;

    public SearchReranking(Reranker reranker, RerankingSearchOptions? options)
    {
        ArgumentNullException.ThrowIfNull(reranker);
        _reranker = reranker;
        _options = options ?? new();
        _options.Validate();
    }

    public OverFetch Fetch => _options.Fetch;

    /// <summary>The wanted page of the results in their better order.</summary>
    public async Task<IEnumerable<RankedItem<T>>> PageAsync<T>(string query, IAsyncEnumerable<T> results, Func<T, string> text, int skip, int top, CancellationToken cancellationToken)
    {
        List<T> items = await results.ToListAsync(cancellationToken).ConfigureAwait(false);
        RerankOptions options = _options.Rerank ?? _reranker.Options with { FailOpen = true };
        options = options with { Top = (int)Math.Min(int.MaxValue, (long)skip + top) };
        return (await _reranker.RerankAsync(query, items, text, null, options, cancellationToken).ConfigureAwait(false)).Skip(skip);
    }
}
