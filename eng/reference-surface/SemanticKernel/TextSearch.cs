using System.Linq.Expressions;

namespace Microsoft.SemanticKernel.Data;

public interface ITextSearch<TRecord>
{
    Task<KernelSearchResults<string>> SearchAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default);

    Task<KernelSearchResults<TextSearchResult>> GetTextSearchResultsAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default);

    Task<KernelSearchResults<TRecord>> GetSearchResultsAsync(string query, TextSearchOptions<TRecord>? searchOptions = null, CancellationToken cancellationToken = default);
}

public sealed class TextSearchOptions<TRecord>
{
    public bool IncludeTotalCount { get => throw null!; init => throw null!; }

    public Expression<Func<TRecord, bool>>? Filter { get => throw null!; init => throw null!; }

    public int Top { get => throw null!; init => throw null!; }

    public int Skip { get => throw null!; init => throw null!; }
}

public sealed class KernelSearchResults<T>
{
    public KernelSearchResults(IAsyncEnumerable<T> results, long? totalCount = null, IReadOnlyDictionary<string, object?>? metadata = null) => throw null!;

    public IAsyncEnumerable<T> Results => throw null!;

    public long? TotalCount => throw null!;

    public IReadOnlyDictionary<string, object?>? Metadata => throw null!;
}

public sealed class TextSearchResult
{
    public TextSearchResult(string value) => throw null!;

    public string Value => throw null!;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class TextSearchResultValueAttribute : Attribute;
