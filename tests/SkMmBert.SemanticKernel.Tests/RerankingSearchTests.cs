using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;
using Microsoft.SemanticKernel.Data;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Searches with a reranker behind them.</summary>
public sealed class RerankingSearchTests
{
    private static readonly Note[] Notes = [.. Enumerable.Range(0, 10).Select(i => new Note(i, $"note {i} on the weather")), new(10, "trains in winter"), new(11, "trains to the south in winter")];

    public sealed record Note(int Id, string Text);

    private sealed class NoteSearch : IVectorSearchable<Note>, ITextSearch<Note>
    {
        public int Asked { get; private set; }

        public async IAsyncEnumerable<VectorSearchResult<Note>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<Note>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
            where TInput : notnull
        {
            Asked = top;
            foreach (Note note in Found(options?.Filter, options?.Skip ?? 0, top))
            {
                await Task.Yield();
                yield return new VectorSearchResult<Note>(note, 0.5);
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(string) ? "inner" : null;

        public Task<KernelSearchResults<string>> SearchAsync(string query, TextSearchOptions<Note>? searchOptions = null, CancellationToken cancellationToken = default) =>
            Results(note => note.Text, searchOptions);

        public Task<KernelSearchResults<TextSearchResult>> GetTextSearchResultsAsync(string query, TextSearchOptions<Note>? searchOptions = null, CancellationToken cancellationToken = default) =>
            Results(note => new TextSearchResult(note.Text), searchOptions);

        public Task<KernelSearchResults<Note>> GetSearchResultsAsync(string query, TextSearchOptions<Note>? searchOptions = null, CancellationToken cancellationToken = default) =>
            Results(note => note, searchOptions);

        private Task<KernelSearchResults<T>> Results<T>(Func<Note, T> make, TextSearchOptions<Note>? options)
        {
            Asked = options!.Top;
            return Task.FromResult(new KernelSearchResults<T>(Found(options.Filter, options.Skip, options.Top).Select(make).ToAsyncEnumerable(), options.IncludeTotalCount ? Notes.Length : null));
        }

        private static IEnumerable<Note> Found(Expression<Func<Note, bool>>? filter, int skip, int top) => Notes.Where(filter?.Compile() ?? (_ => true)).Skip(skip).Take(top);
    }

    private readonly NoteSearch _search = new();
    private readonly WordReranker _reranker = new();

    [Fact]
    public async Task VectorSearch_TextQuestion_IsRerankedAndScoredAnew()
    {
        IVectorSearchable<Note> better = ((IVectorSearchable<Note>)_search).WithReranking(_reranker, note => note.Text);
        List<VectorSearchResult<Note>> found = await better.SearchAsync("trains winter south", 3).ToListAsync();
        Assert.Equal([11, 10, 0], found.Select(result => result.Record.Id));
        Assert.Equal([3, 2, 0], found.Select(result => result.Score));
        Assert.Equal(12, _search.Asked);
        Assert.Equal([10, 0], await better.SearchAsync("trains winter south", 2, new() { Skip = 1 }).Select(result => result.Record.Id).ToListAsync());
        Assert.Equal([10], await better.SearchAsync("trains winter south", 3, new() { Filter = note => note.Id == 10 }).Select(result => result.Record.Id).ToListAsync());
        Assert.Empty(await better.SearchAsync("trains", 3, new() { Filter = note => note.Id > 90 }).ToListAsync());
    }

    [Fact]
    public async Task VectorSearch_VectorQuestion_PassesThrough()
    {
        IVectorSearchable<Note> better = ((IVectorSearchable<Note>)_search).WithReranking(_reranker, note => note.Text);
        List<VectorSearchResult<Note>> found = await better.SearchAsync(new ReadOnlyMemory<float>([1f]), 2, new() { Skip = 1 }).ToListAsync();
        Assert.Equal([1, 2], found.Select(result => result.Record.Id));
        Assert.Equal(2, _search.Asked);
        Assert.Equal(0, _reranker.Calls);
    }

    [Fact]
    public async Task VectorSearch_FailingReranker_KeepsTheFirstOrderAndScores()
    {
        _reranker.Error = new IOException("model gone");
        IVectorSearchable<Note> better = ((IVectorSearchable<Note>)_search).WithReranking(_reranker, note => note.Text);
        List<VectorSearchResult<Note>> found = await better.SearchAsync("trains", 2, new() { Skip = 2 }).ToListAsync();
        Assert.Equal([2, 3], found.Select(result => result.Record.Id));
        Assert.All(found, result => Assert.Equal(0.5, result.Score));
        IVectorSearchable<Note> strict = ((IVectorSearchable<Note>)_search).WithReranking(_reranker, note => note.Text, new() { Rerank = new() });
        await Assert.ThrowsAsync<IOException>(async () => await strict.SearchAsync("trains", 2).ToListAsync());
    }

    [Fact]
    public void GetService_AsksTheSearchBehind()
    {
        IVectorSearchable<Note> better = ((IVectorSearchable<Note>)_search).WithReranking(_reranker, note => note.Text);
        Assert.Same(better, better.GetService(typeof(IVectorSearchable<Note>)));
        Assert.Equal("inner", better.GetService(typeof(string)));
    }

    [Fact]
    public async Task TextSearch_EachForm_IsRerankedAndPaged()
    {
        ITextSearch<Note> better = ((ITextSearch<Note>)_search).WithReranking(_reranker);
        const string query = "trains winter south";
        Assert.Equal("trains to the south in winter", (await (await better.SearchAsync(query, new() { Top = 3 })).Results.ToListAsync())[0]);
        Assert.Equal(12, _search.Asked);
        KernelSearchResults<string> five = await better.SearchAsync(query);
        Assert.Equal(20, _search.Asked);
        Assert.Equal(5, (await five.Results.ToListAsync()).Count);
        KernelSearchResults<TextSearchResult> second = await better.GetTextSearchResultsAsync(query, new() { Top = 2, Skip = 1, IncludeTotalCount = true });
        Assert.Equal(12, second.TotalCount);
        Assert.Equal("trains in winter", (await second.Results.FirstAsync()).Value);
        Assert.Equal(11, (await (await better.GetSearchResultsAsync(query)).Results.FirstAsync()).Id);
        Assert.Equal(10, (await (await better.GetSearchResultsAsync(query, new() { Filter = note => note.Id < 11 })).Results.FirstAsync()).Id);
    }
}
