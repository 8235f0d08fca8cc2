using CommunityToolkit.VectorData.InMemory;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.VectorData;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

using Record = Dictionary<string, object?>;

/// <summary>Memory over the InMemory vector store: what every store must do, and what is its own.</summary>
public sealed class VectorStoreMemoryStoreTests : MemoryStoreConformance
{
    protected override MemoryStore Create() => new VectorStoreMemoryStore(new InMemoryVectorStore());

    [Fact]
    public async Task Open_AnotherOnTheSameVectorStore_HasEverything()
    {
        using InMemoryVectorStore vectors = new();
        using VectorStoreMemoryStore one = new(vectors), two = new(vectors);
        await one.BindAsync(Hashed.Model);
        await two.BindAsync(Hashed.Model);
        await one.AddAsync([.. Enumerable.Range(0, 700).Select(i => Item($"note {i}"))]);
        Assert.Equal(700, await two.CountAsync(MemoryFilter.All));
        Assert.Equal("note 8", Ranked(await two.SearchAsync(Ask("note 8")), "match")[0].Item.Text);
        await two.RemoveAsync(new MemoryFilter { Ids = ["note 8"] });
        Assert.DoesNotContain((await one.SearchAsync(Ask("note 8", take: 50))).Candidates, candidate => candidate.Item.Id == "note 8");
        using VectorStoreMemoryStore three = new(vectors, "memory");
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => three.BindAsync(new HashedGenerator(192, 5, "other").Model));
        Assert.Contains("'hashed'", error.Message);
        Assert.Contains("memory (", error.Message);
    }

    [Fact]
    public async Task Schema_HasAVectorOfEachTier_SearchableByItsOwnView()
    {
        using InMemoryVectorStore vectors = new();
        PrefixGenerator generator = new();
        using VectorStoreMemoryStore store = new(vectors, "memory", new() { Generator = generator });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 50).Select(i => Item($"note {i} about w{i}"))]);
        foreach (int dimensions in new[] { 64, 128, 256 })
        {
            string property = $"vector{dimensions}";
            VectorSearchResult<Record> found = await store.Collection.SearchAsync("note 7 about w7", 1, new VectorSearchOptions<Record> { VectorProperty = record => record[property], IncludeVectors = true }).SingleAsync();
            Assert.Equal("note 7 about w7", found.Record["text"]);
            Assert.Equal(dimensions, ((ReadOnlyMemory<float>)found.Record[property]!).Length);
        }

        Assert.Equal(3, generator.Asked.Count);     // once for each search: memory brought the stored vectors along
    }

    /// <summary>Hashed vectors cut to the dimensions of the request, as a Matryoshka model does.</summary>
    private sealed class PrefixGenerator : IEmbeddingGenerator<string, Embedding<float>>
    {
        public List<int?> Asked { get; } = [];

        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            Asked.Add(options?.Dimensions);
            return Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(text => new Embedding<float>(VectorStoreSchema.Prefix(Hashed.Vector(text), options?.Dimensions ?? 256)))));
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }
    }

    [Theory]
    [InlineData(VectorTier.Route, "route")]
    [InlineData(VectorTier.Retrieve, "retrieve")]
    [InlineData(VectorTier.Match, null)]
    public async Task FirstTier_Chosen_IsInTheTrailAndTheWidths(VectorTier tier, string? stage)
    {
        using InMemoryVectorStore vectors = new();
        using VectorStoreMemoryStore store = new(vectors, "memory", new() { FirstTier = tier });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 300).Select(i => Item($"note {i} about w{i}"))]);
        MemorySearchResult result = await store.SearchAsync(Ask("note 7 about w7", words: false));
        Assert.Equal(stage is null ? ["match"] : [stage, "match"], result.Candidates[0].Trail.Select(step => step.Stage));
        Assert.Equal(stage is null ? [10] : [100, 100], result.Widths.Select(width => width.Items));
        Assert.Equal("note 7 about w7", Ranked(result, "match")[0].Item.Text);
    }

    [Fact]
    public async Task Options_TextKeysAndMetadataHere_KeepWhatMemoryMeans()
    {
        using InMemoryVectorStore vectors = new();
        using VectorStoreMemoryStore store = new(vectors, "memory", new() { TextKeys = true, MetadataInStore = false, Words = false });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 20).Select(i => Item($"note {i}") with { Metadata = new Dictionary<string, string> { ["even"] = i % 2 == 0 ? "yes" : "no" } })]);
        MemorySearchResult result = await store.SearchAsync(Ask("note 4", take: 20) with { Metadata = new Dictionary<string, string> { ["even"] = "yes" } });
        Assert.Equal(10, result.Candidates.Count);
        Assert.DoesNotContain(result.Candidates, candidate => candidate.Trail.Any(step => step.Stage == "lexical"));
        Assert.Equal(10, await store.RemoveAsync(new MemoryFilter { Metadata = new Dictionary<string, string> { ["even"] = "no" } }));
        Record record = await store.Collection.GetAsync(each => (string)each["id"]! == "note 4", 1).SingleAsync();
        Assert.IsType<string>(record["key"]);
        Assert.False(record.ContainsKey("tags"));
    }

    [Fact]
    public async Task Reembed_BrokenOff_LeavesNothingThatDisturbsTheNext()
    {
        using InMemoryVectorStore vectors = new();
        using VectorStoreMemoryStore store = new(vectors);
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 600).Select(i => Item($"note {i}"))]);
        HashedGenerator other = new(192, seed: 5, name: "other");
        int batches = 0;
        Task<IReadOnlyList<ReadOnlyMemory<float>>> Embed(IReadOnlyList<string> texts, CancellationToken cancellationToken) =>
            ++batches == 2 ? throw new IOException("model gone") : Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. texts.Select(text => (ReadOnlyMemory<float>)other.Vector(text))]);
        await Assert.ThrowsAsync<IOException>(() => store.ReembedAsync(other.Model, Embed));
        Assert.Equal(600, await store.CountAsync(MemoryFilter.All));
        await store.RemoveAsync(new MemoryFilter { Ids = ["note 3"] });
        await store.ReembedAsync(other.Model, Embed);
        Assert.Equal(599, await store.CountAsync(MemoryFilter.All));
        using VectorStoreMemoryStore again = new(vectors);
        await again.BindAsync(other.Model);
        Assert.Equal(599, await again.CountAsync(MemoryFilter.All));
        Assert.Equal(2, await vectors.ListCollectionNamesAsync().CountAsync());
    }

    [Fact]
    public async Task AgentMemory_OverTheContainersVectorStore_RemembersAndRecalls()
    {
        ServiceCollection services = new();
        services.AddSingleton<VectorStore>(new InMemoryVectorStore());
        services.AddMmBert(o => o.ModelsFolder = Path.Combine(Paths.Root, "models")).AddMemory(memory => memory.UseVectorStore("facts", provider => new()
        {
            Generator = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>(),
        }));
        await using ServiceProvider provider = services.BuildServiceProvider();
        AgentMemory memory = provider.GetRequiredService<AgentMemory>();
        MemoryScope ada = new() { User = "ada" };
        await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17", scope: ada);
        await memory.RememberAsync("The meeting moved to Tuesday at ten.", source: "mail/4", scope: ada);
        Evidence found = (await memory.RecallAsync("Does Ada prefer trains?", new() { Scope = ada, Top = 1 }))[0];
        Assert.Equal("Ada prefers trains to planes.", found.Text);
        Assert.Equal(["retrieve", "match", "lexical", "fused"], found.Trail.Select(stage => stage.Stage));
        Assert.Empty(await memory.RecallAsync("Does Ada prefer trains?"));
        VectorStoreMemoryStore store = (VectorStoreMemoryStore)memory.Store;
        VectorSearchResult<Record> byText = await store.Collection.SearchAsync("trains", 1, new VectorSearchOptions<Record> { VectorProperty = record => record["vector64"] }).SingleAsync();
        Assert.Equal("Ada prefers trains to planes.", byText.Record["text"]);
    }
}
