using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.VectorData;
using Microsoft.SemanticKernel.Data;

namespace SkMmBert;

/// <summary>Puts a cross-encoder behind a search.</summary>
/// <remarks>
/// <para>The search is asked for more results than wanted; these are scored together with the question, sorted, and cut to the page that was
/// wanted. Filters, paging and the total count keep their meaning. Results come when all of them are scored.</para>
/// <para>Thread-safe if the search is. Disposes neither the search nor the reranker.</para>
/// </remarks>
public static class RerankingExtensions
{
    /// <summary>Reranks a search by vector.</summary>
    /// <remarks>The score of a result is then the reranker's. A question that is not a text, such as a vector, goes through as it is: there is nothing to score with.</remarks>
    /// <typeparam name="TRecord">The records.</typeparam>
    /// <param name="search">A collection, or any other search.</param>
    /// <param name="reranker">Scores records.</param>
    /// <param name="text">Reads the text of a record.</param>
    /// <param name="options">How much more is asked for; <see langword="null"/> for the defaults.</param>
    /// <example><code>
    /// IVectorSearchable&lt;Note&gt; better = notes.WithReranking(reranker, note => note.Text);
    /// await foreach (VectorSearchResult&lt;Note&gt; found in better.SearchAsync("How does Ada travel?", top: 3)) { ... }
    /// </code></example>
    public static IVectorSearchable<TRecord> WithReranking<TRecord>(this IVectorSearchable<TRecord> search, Reranker reranker, Func<TRecord, string> text, RerankingSearchOptions? options = null)
        where TRecord : class
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(text);
        return new RerankingVectorSearch<TRecord>(search, new SearchReranking(reranker, options), text);
    }

    /// <summary>Reranks a text search.</summary>
    /// <typeparam name="TRecord">The records.</typeparam>
    /// <param name="search">The search.</param>
    /// <param name="reranker">Scores results.</param>
    /// <param name="text">Reads the text of a record, for <c>GetSearchResultsAsync</c>; <see langword="null"/> for its text properties.</param>
    /// <param name="options">How much more is asked for; <see langword="null"/> for the defaults.</param>
    /// <example><code>
    /// ITextSearch&lt;Note&gt; better = new VectorStoreTextSearch&lt;Note&gt;(notes).WithReranking(reranker);
    /// </code></example>
    [Experimental("SKMMB001")]
    public static ITextSearch<TRecord> WithReranking<TRecord>(this ITextSearch<TRecord> search, Reranker reranker, Func<TRecord, string>? text = null, RerankingSearchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(search);
        return new RerankingTextSearch<TRecord>(search, new SearchReranking(reranker, options), text ?? (record => RecordText.Of(record, null) ?? ""));
    }
}
