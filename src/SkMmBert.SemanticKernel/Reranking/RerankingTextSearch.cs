using System.Runtime.CompilerServices;
using Microsoft.SemanticKernel.Data;

namespace SkMmBert;

/// <summary>A text search whose results are reranked.</summary>
internal sealed class RerankingTextSearch<TRecord>(ITextSearch<TRecord> inner, SearchReranking reranking, Func<TRecord, string> text) : ITextSearch<TRecord>
{
    public Task<KernelSearchResults<string>> SearchAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default) =>
        RerankAsync(inner.SearchAsync, query, value => value, searchOptions, cancellationToken);

    public Task<KernelSearchResults<TextSearchResult>> GetTextSearchResultsAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default) =>
        RerankAsync(inner.GetTextSearchResultsAsync, query, result => result.Value, searchOptions, cancellationToken);

    public Task<KernelSearchResults<TRecord>> GetSearchResultsAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default) =>
        RerankAsync(inner.GetSearchResultsAsync, query, text, searchOptions, cancellationToken);

    private async Task<KernelSearchResults<T>> RerankAsync<T>(
        Func<string, TextSearchOptions<TRecord>?, CancellationToken, Task<KernelSearchResults<T>>> search, string query, Func<T, string> read, TextSearchOptions<TRecord>? wanted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        wanted ??= new();
        TextSearchOptions<TRecord> all = new() { Filter = wanted.Filter, IncludeTotalCount = wanted.IncludeTotalCount, Top = reranking.Fetch.For(wanted.Top, wanted.Skip) };
        KernelSearchResults<T> found = await search(query, all, cancellationToken).ConfigureAwait(false);
        return new KernelSearchResults<T>(Page(found.Results, CancellationToken.None), found.TotalCount, found.Metadata);

        async IAsyncEnumerable<T> Page(IAsyncEnumerable<T> results, [EnumeratorCancellation] CancellationToken reading)
        {
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, reading);
            foreach (RankedItem<T> ranked in await reranking.PageAsync(query, results, read, wanted.Skip, wanted.Top, either.Token).ConfigureAwait(false))
            {
                yield return ranked.Item;
            }
        }
    }
}
