using Microsoft.SemanticKernel;

namespace SkMmBert;

/// <summary>Which kernel functions are searches, and how their results are put in a better order.</summary>
public sealed record RerankingFilterOptions
{
    /// <summary>Says which functions are searches, besides those that carry <see cref="RerankResultsAttribute"/>.</summary>
    /// <value>The default is <see langword="null"/>: those whose declared result is <c>KernelSearchResults&lt;T&gt;</c>.</value>
    public Func<KernelFunction, bool>? Functions { get; init; }

    /// <summary>Names of the argument that holds the question; the first that a call has counts. Upper and lower case are the same.</summary>
    /// <value>The default is query, question, searchQuery, searchText, input.</value>
    public IReadOnlyList<string> QueryArguments { get; init; } = ["query", "question", "searchQuery", "searchText", "input"];

    /// <summary>Names of the argument that says how many results are wanted; the first that a function has counts.</summary>
    /// <value>The default is count, top, limit, maxResults.</value>
    public IReadOnlyList<string> CountArguments { get; init; } = ["count", "top", "limit", "maxResults"];

    /// <summary>Names of the argument that says how many results are passed over first.</summary>
    /// <value>The default is skip, offset.</value>
    public IReadOnlyList<string> SkipArguments { get; init; } = ["skip", "offset"];

    /// <summary>How many times as many results as wanted are asked for, so that there is something to choose from.</summary>
    /// <value>The default is 4; 1 only reorders what was asked for.</value>
    public int OverFetch { get; init; } = 4;

    /// <summary>Most results asked for because of <see cref="OverFetch"/>; a call that wants more than this gets what it wants.</summary>
    /// <value>The default is 50.</value>
    public int MaximumFetch { get; init; } = 50;

    /// <summary>Reads the text of a result; a <see langword="null"/> from it leaves the choice to the built-in rules.</summary>
    /// <value>The default is <see langword="null"/>: a text is itself, a text search result is its value, a record is its text properties.</value>
    public Func<object, string?>? Text { get; init; }

    /// <summary>Effort, limits and floor of the reranking.</summary>
    /// <value>The default is <see langword="null"/>: the reranker's own. How many are returned is always what the call wants.</value>
    public RerankOptions? Rerank { get; init; }

    internal OverFetch Fetch => new(OverFetch, MaximumFetch);

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(QueryArguments);
        ArgumentNullException.ThrowIfNull(CountArguments);
        ArgumentNullException.ThrowIfNull(SkipArguments);
        ArgumentOutOfRangeException.ThrowIfLessThan(OverFetch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumFetch, 1);
    }
}
