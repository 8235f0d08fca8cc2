using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

/// <summary>A search by vector whose results are reranked.</summary>
internal sealed class RerankingVectorSearch<TRecord>(IVectorSearchable<TRecord> inner, SearchReranking reranking, Func<TRecord, string> text) : IVectorSearchable<TRecord>
    where TRecord : class
{
    public async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        where TInput : notnull
    {
        if (searchValue is not string query)
        {
            await foreach (VectorSearchResult<TRecord> result in inner.SearchAsync(searchValue, top, options, cancellationToken).ConfigureAwait(false))
            {
                yield return result;
            }

            yield break;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        int skip = options?.Skip ?? 0;
        VectorSearchOptions<TRecord> all = new()
        {
            Filter = options?.Filter, VectorProperty = options?.VectorProperty, IncludeVectors = options?.IncludeVectors ?? false, ScoreThreshold = options?.ScoreThreshold,
        };
        IAsyncEnumerable<VectorSearchResult<TRecord>> found = inner.SearchAsync(searchValue, reranking.Fetch.For(top, skip), all, cancellationToken);
        foreach (RankedItem<VectorSearchResult<TRecord>> ranked in await reranking.PageAsync(query, found, result => text(result.Record), skip, top, cancellationToken).ConfigureAwait(false))
        {
            yield return ranked.Rerank.IsScored ? new VectorSearchResult<TRecord>(ranked.Item.Record, ranked.Score) : ranked.Item;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : inner.GetService(serviceType, serviceKey);
    }
}
