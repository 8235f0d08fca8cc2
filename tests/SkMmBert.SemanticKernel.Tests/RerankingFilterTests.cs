using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.VectorData;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Data;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>The filter in a real kernel, before search functions of every kind of result.</summary>
public sealed class RerankingFilterTests
{
    // Twelve notes; those about trains are at the end of the first order.
    private static readonly string[] Notes = [.. Enumerable.Range(0, 10).Select(i => $"note {i} on the weather"), "trains in winter", "trains to the south in winter"];

    private readonly WordReranker _reranker = new();
    private readonly List<(int Count, int Skip)> _asked = [];

    private sealed record Note(string Title, [property: TextSearchResultValue] string Text);

    private IEnumerable<string> Search(int count, int skip = 0)
    {
        _asked.Add((count, skip));
        return Notes.Skip(skip).Take(count);
    }

    private Kernel KernelWith(Delegate search, RerankingFilterOptions? options = null)
    {
        Kernel kernel = new();
        kernel.Plugins.AddFromFunctions("notes", [KernelFunctionFactory.CreateFromMethod(search, "find")]);
        kernel.FunctionInvocationFilters.Add(new MmBertRerankingFilter(_reranker, options ?? new() { Functions = _ => true, OverFetch = 12 }));
        return kernel;
    }

    private static Task<FunctionResult> FindAsync(Kernel kernel, object? count = null, int? skip = null, string query = "trains winter south")
    {
        KernelArguments arguments = new() { ["query"] = query };
        if (count is not null)
        {
            arguments["count"] = count;
        }

        if (skip is not null)
        {
            arguments["skip"] = skip;
        }

        return kernel.InvokeAsync("notes", "find", arguments);
    }

    private static async Task<List<T>> ListAsync<T>(FunctionResult result) => await result.GetValue<KernelSearchResults<T>>()!.Results.ToListAsync();

    [Fact]
    public async Task Strings_InEachForm_AreReorderedCutAndKeepTheirType()
    {
        string[] best = ["trains to the south in winter", "trains in winter"];
        Assert.Equal(best, (await FindAsync(KernelWith((string query, int count) => Search(count).ToArray()), 2)).GetValue<string[]>());
        Assert.Equal(best, (await FindAsync(KernelWith((string query, int count) => Search(count).ToList()), 2)).GetValue<List<string>>());
        Assert.Equal(best, (await FindAsync(KernelWith((string query, int count) => Search(count)), 2)).GetValue<IEnumerable<string>>());
        Assert.Equal(best, (await FindAsync(KernelWith((string query, int count) => Task.FromResult<IReadOnlyList<string>>(Search(count).ToArray())), 2)).GetValue<IReadOnlyList<string>>());
        Assert.Equal(best, await (await FindAsync(KernelWith((string query, int count) => Search(count).ToAsyncEnumerable()), 2)).GetValue<IAsyncEnumerable<string>>()!.ToListAsync());
        Assert.All(_asked, asked => Assert.Equal((24, 0), asked));
    }

    [Fact]
    public async Task KernelSearchResults_OfTextsResultsObjectsAndRecords_AreReordered()
    {
        KernelSearchResults<T> Results<T>(int count, Func<string, T> make) =>
            new(Search(count).Select(make).ToAsyncEnumerable(), 12, new Dictionary<string, object?> { ["engine"] = "test" });

        // Declared as KernelSearchResults<T>: chosen without a predicate.
        RerankingFilterOptions defaults = new() { OverFetch = 12 };
        Assert.Equal("trains to the south in winter", (await ListAsync<string>(await FindAsync(KernelWith((string query, int count) => Results(count, text => text), defaults), 1))).Single());
        FunctionResult results = await FindAsync(KernelWith((string query, int count) => Task.FromResult(Results(count, text => new TextSearchResult(text) { Name = "n" })), defaults), 2);
        Assert.Equal(["trains to the south in winter", "trains in winter"], (await ListAsync<TextSearchResult>(results)).Select(result => result.Value));
        Assert.Equal(12, results.GetValue<KernelSearchResults<TextSearchResult>>()!.TotalCount);
        Assert.Equal("test", results.GetValue<KernelSearchResults<TextSearchResult>>()!.Metadata!["engine"]);
        Assert.Equal("trains in winter", ((Note)(await ListAsync<object>(await FindAsync(KernelWith((string query, int count) => Results<object>(count, text => new Note("x", text)), defaults), 2)))[1]).Text);
        Assert.Equal("trains in winter", (await ListAsync<Note>(await FindAsync(KernelWith((string query, int count) => Results(count, text => new Note("x", text)), defaults), 2)))[1].Text);
    }

    [Fact]
    public async Task VectorSearchResultsAndRecords_AreReorderedByTheirText()
    {
        List<VectorSearchResult<Note>> found = (await FindAsync(KernelWith((string query, int count) => Search(count).Select(text => new VectorSearchResult<Note>(new Note("title", text), 0.5)).ToList()), 2))
            .GetValue<List<VectorSearchResult<Note>>>()!;
        Assert.Equal(["trains to the south in winter", "trains in winter"], found.Select(result => result.Record.Text));
        Dictionary<string, object?> Record(string text) => new() { ["key"] = 1, ["content"] = text };
        Assert.Equal("trains in winter", (await FindAsync(KernelWith((string query, int count) => Search(count).Select(text => new VectorSearchResult<Dictionary<string, object?>>(Record(text), 1)).ToArray()), 2))
            .GetValue<VectorSearchResult<Dictionary<string, object?>>[]>()![1].Record["content"]);
        Assert.Equal("trains in winter", (await FindAsync(KernelWith((string query, int count) => Search(count).Select(text => (Text: text, 1)).ToList(), new() { Functions = _ => true, Text = item => (((string, int))item).Item1 }), 3))
            .GetValue<List<(string Text, int)>>()![1].Text);
    }

    [Fact]
    public async Task Json_AsTextElementOrNode_KeepsEachResultWordForWord()
    {
        string Json(int count) => "[" + string.Join(", ", Search(count).Select((text, i) => $$"""{"id": {{i}},  "text": "{{text}}"}""")) + "]";
        const string expected = """[{"id": 11,  "text": "trains to the south in winter"},{"id": 10,  "text": "trains in winter"}]""";
        Assert.Equal(expected, (await FindAsync(KernelWith((string query, int count) => Json(count)), 2)).GetValue<string>());
        Assert.Equal(expected, (await FindAsync(KernelWith((string query, int count) => JsonDocument.Parse(Json(count)).RootElement.Clone()), 2)).GetValue<JsonElement>().GetRawText());
        Assert.Equal(11, (await FindAsync(KernelWith((string query, int count) => JsonNode.Parse(Json(count))!), 2)).GetValue<JsonNode>()![0]!["id"]!.GetValue<int>());
        Assert.Equal(
            $$"""{"total":12,"results":{{expected}}}""",
            (await FindAsync(KernelWith((string query, int count) => $$"""{"total":12,"results":{{Json(count)}}}"""), 2)).GetValue<string>());
        Assert.Equal("""["trains in winter"]""", (await FindAsync(KernelWith((string query, int count) => JsonSerializer.Serialize(Search(count).Take(11))), 1)).GetValue<string>());
    }

    [Theory]
    [InlineData("2")]
    [InlineData(2L)]
    [InlineData(2)]
    public async Task Count_OfEachType_IsRaisedAndGivenBack(object count)
    {
        Kernel kernel = KernelWith((string query, int count, int skip = 0) => Search(count, skip).ToList());
        KernelArguments arguments = new() { ["query"] = "trains winter south", ["count"] = count };
        FunctionResult result = await kernel.InvokeAsync("notes", "find", arguments);
        Assert.Equal(2, result.GetValue<List<string>>()!.Count);
        Assert.Equal([(24, 0)], _asked);
        Assert.Equal(count, arguments["count"]);
        Assert.Equal(2, arguments.Count);
    }

    [Fact]
    public async Task Count_LeftToItsDefault_IsRaisedAndTakenOutAgain()
    {
        Kernel kernel = KernelWith((string query, int count = 3) => Search(count).ToList());
        KernelArguments arguments = new() { ["query"] = "trains winter south" };
        Assert.Equal(3, (await kernel.InvokeAsync("notes", "find", arguments)).GetValue<List<string>>()!.Count);
        Assert.Equal([(36, 0)], _asked);
        Assert.Equal(["query"], arguments.Keys);
    }

    [Fact]
    public async Task Count_AboveTheMaximum_IsNotLowered()
    {
        Kernel kernel = KernelWith((string query, int count) => Search(count).ToList(), new() { Functions = _ => true, OverFetch = 4, MaximumFetch = 6 });
        Assert.Equal(2, (await FindAsync(kernel, 2)).GetValue<List<string>>()!.Count);
        Assert.Equal(11, (await FindAsync(kernel, 11)).GetValue<List<string>>()!.Count);
        Assert.Equal([(6, 0), (11, 0)], _asked);
    }

    [Fact]
    public async Task NoCountArgument_AllResultsAreReordered()
    {
        List<string> found = (await FindAsync(KernelWith((string query) => Search(12).ToList()))).GetValue<List<string>>()!;
        Assert.Equal(Notes.Order(), found.Order());
        Assert.Equal("trains to the south in winter", found[0]);
        Assert.Equal("note 0 on the weather", found[2]);    // equal scores keep their order
    }

    [Fact]
    public async Task Skip_SecondPage_ContinuesTheFirst()
    {
        Kernel kernel = KernelWith((string query, int count, int skip) => Search(count, skip).ToList());
        Assert.Equal("trains to the south in winter", (await FindAsync(kernel, 1, 0)).GetValue<List<string>>()!.Single());
        Assert.Equal("trains in winter", (await FindAsync(kernel, 1, 1)).GetValue<List<string>>()!.Single());
        Assert.Empty((await FindAsync(kernel, 2, 40)).GetValue<List<string>>()!);
        Assert.Equal((50, 0), _asked[^1]);
        Assert.All(_asked, asked => Assert.Equal(0, asked.Skip));
    }

    [Fact]
    public async Task Scoring_Fails_TheFirstOrderStaysCutAsWanted()
    {
        _reranker.Error = new IOException("model gone");
        Assert.Equal(Notes.Take(2), (await FindAsync(KernelWith((string query, int count) => Search(count).ToList()), 2)).GetValue<List<string>>());
        Assert.Equal(Notes.Skip(2).Take(2), (await FindAsync(KernelWith((string query, int count, int skip) => Search(count, skip).ToList()), 2, 2)).GetValue<List<string>>());
        Assert.Equal(2, _reranker.Calls);
    }

    [Fact]
    public async Task Search_RefusesTheRaisedCount_IsAskedAsTheCallerDid()
    {
        Kernel kernel = KernelWith((string query, int count) => count > 11 ? throw new ArgumentOutOfRangeException(nameof(count)) : Search(count).Reverse().ToList());
        Assert.Equal("trains in winter", (await FindAsync(kernel, 11)).GetValue<List<string>>()![0]);
        Assert.Equal([(11, 0)], _asked);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => FindAsync(kernel, 12));
    }

    [Fact]
    public async Task Answer_OfAnotherForm_IsThatToTheCallersCount()
    {
        Kernel kernel = KernelWith((string query, int count) => $"{Search(count).Count()} results, none of them listed");
        Assert.Equal("2 results, none of them listed", (await FindAsync(kernel, 2)).GetValue<string>());
        Assert.Equal([(24, 0), (2, 0)], _asked);
        // A list that could not be given back as what it is declared to be.
        HashSet<string> set = (await FindAsync(KernelWith((string query, int count) => Search(count).ToHashSet()), 2)).GetValue<HashSet<string>>()!;
        Assert.Equal(2, set.Count);
        Assert.Equal(0, _reranker.Calls);
    }

    [Fact]
    public async Task OtherFunctionsStreamsAndCallsWithoutQuestion_PassThrough()
    {
        Assert.Equal(Notes.Take(2), (await FindAsync(KernelWith((string query, int count) => Search(count).ToList(), new()), 2)).GetValue<List<string>>());
        Assert.Equal(Notes.Take(2), (await FindAsync(KernelWith((string query, int count) => Search(count).ToList()), 2, query: " ")).GetValue<List<string>>());
        Kernel kernel = KernelWith((string query, int count) => Search(count).ToAsyncEnumerable());
        List<string> streamed = await kernel.InvokeStreamingAsync<string>("notes", "find", new() { ["query"] = "trains", ["count"] = 2 }).ToListAsync();
        Assert.Equal(Notes.Take(2), streamed);
        Assert.All(_asked, asked => Assert.Equal(2, asked.Count));
        Assert.Equal(0, _reranker.Calls);
    }

    [Fact]
    public async Task Results_NoneOrOne_StayAsTheyAre()
    {
        Assert.Empty((await FindAsync(KernelWith((string query, int count) => new List<string>()), 2)).GetValue<List<string>>()!);
        Assert.Equal(["only"], (await FindAsync(KernelWith((string query, int count) => new List<string> { "only" }), 2)).GetValue<List<string>>());
        Assert.Equal("[]", (await FindAsync(KernelWith((string query, int count) => "[]"), 2)).GetValue<string>());
    }

    private sealed class MarkedSearch
    {
        [KernelFunction("find"), RerankResults(QueryArgument = "topic", CountArgument = "most")]
        public List<string> Find(string query, string topic, int most = 2, int count = 1) => [.. Notes.Take(most)];
    }

    [Fact]
    public async Task Attribute_NamesQuestionAndCount()
    {
        Kernel kernel = new();
        kernel.Plugins.AddFromObject(new MarkedSearch(), "notes");
        kernel.FunctionInvocationFilters.Add(new MmBertRerankingFilter(_reranker, new() { OverFetch = 12 }));
        FunctionResult result = await kernel.InvokeAsync("notes", "find", new() { ["query"] = "weather", ["topic"] = "trains winter south" });
        Assert.Equal(["trains to the south in winter", "trains in winter"], result.GetValue<List<string>>());
    }

    [Fact]
    public async Task Cancelled_WhileScoring_Throws()
    {
        using CancellationTokenSource stop = new();
        Kernel kernel = KernelWith((string query, int count) =>
        {
            stop.Cancel();
            return Search(count).ToList();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => kernel.InvokeAsync("notes", "find", new() { ["query"] = "trains", ["count"] = 2 }, stop.Token));
    }
}
