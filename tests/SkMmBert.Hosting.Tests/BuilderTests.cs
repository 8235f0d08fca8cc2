using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace SkMmBert.Hosting.Tests;

public sealed class BuilderTests
{
    private static readonly string[] Names = ["get_weather", "send_email", "book_flight", "play_music", "set_alarm", "convert_currency", "translate_text", "find_restaurant"];

    private static IEnumerable<AITool> Tools => Names.Select(name => AIFunctionFactory.Create(() => name, name, name.Replace('_', ' ')));

    [Fact]
    public async Task AddReranker_BothDescriptors_AreOneReranker()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(o => (o.ModelsFolder, o.RerankEffort) = (HostedServices.Models, RerankEffort.Progressive)).AddReranker(o => o with { Top = 2 }));
        Reranker reranker = provider.GetRequiredService<Reranker>();
        Assert.Same(reranker, provider.GetRequiredService<MmBertReranker>());
        Assert.Equal((RerankEffort.Progressive, 2), (reranker.Options.Effort, reranker.Options.Top));
        Assert.Equal(2, (await reranker.RerankAsync("weather", Names)).Count);
    }

    [Fact]
    public void AddReranker_ModelWithoutHeads_SaysSo()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(o => o.RerankModel = Paths.MiniEmbed).AddReranker());
        Assert.Contains("has no matryoshka_config.json", Assert.Throws<ArgumentException>(() => provider.GetRequiredService<Reranker>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddReranker_SameFolderAsTheEmbedder_IsOneModel()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(o => (o.EmbeddingModel, o.RerankModel) = (Paths.MiniRerank, Paths.MiniRerank)).AddReranker());
        HostedModels models = provider.GetRequiredKeyedService<HostedModels>(null);
        Assert.Same(provider.GetRequiredService<MmBertEmbeddingGenerator>().GetService<MmBertModel>(), models.Reranking!.Open());
        Assert.NotNull(provider.GetRequiredService<MmBertReranker>());
    }

    [Fact]
    public async Task AddToolRouter_ToolsAmongTheServices_AreTheCatalogue()
    {
        using ServiceProvider provider = HostedServices.Provider(services =>
        {
            foreach (AITool tool in Tools)
            {
                services.AddSingleton(tool);
            }

            services.AddMmBert(HostedServices.Mini).AddToolRouter(o => o with { MaximumTools = 3 });
        });
        ToolRouter router = provider.GetRequiredService<ToolRouter>();
        Assert.Equal(Names, router.Profiles.Select(profile => profile.Name));
        Assert.Null(router.Options.Reranker);
        RoutingDecision decision = await router.RouteAsync("What is the weather like in Bern?");
        Assert.Equal("get_weather", decision.Tools[0].Name);
        Assert.InRange(decision.Tools.Count, 1, 3);
    }

    [Fact]
    public void AddToolRouter_NoTools_LeavesTheCatalogueToTheRequest()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddToolRouter());
        Assert.Empty(provider.GetRequiredService<ToolRouter>().Profiles);
    }

    [Fact]
    public void AddToolRouter_OwnTools_LeavesOutThoseOfTheServices()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddSingleton(Tools.First()).AddMmBert(HostedServices.Mini).AddToolRouter(tools: _ => Tools.Skip(1)));
        Assert.Equal(Names[1..], provider.GetRequiredService<ToolRouter>().Profiles.Select(profile => profile.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AddToolRouter_WithReranker_UsesItWhateverTheOrder(bool rerankerFirst)
    {
        using ServiceProvider provider = HostedServices.Provider(services =>
        {
            MmBertBuilder builder = services.AddKeyedMmBert("k", HostedServices.Mini);
            _ = rerankerFirst ? builder.AddReranker().AddToolRouter() : builder.AddToolRouter().AddReranker();
        });
        Assert.Same(provider.GetRequiredKeyedService<Reranker>("k"), provider.GetRequiredKeyedService<ToolRouter>("k").Options.Reranker);
    }

    [Fact]
    public async Task AddMemory_NoStoreChosen_RemembersInTheProcess()
    {
        DateTimeOffset now = new(2031, 2, 3, 4, 5, 6, TimeSpan.Zero);
        using ServiceProvider provider = HostedServices.Provider(services => services.AddSingleton<TimeProvider>(new StandingClock(now)).AddMmBert(HostedServices.Mini).AddMemory(m => m.Configure(o => o with { ChunkTokens = 16 })));
        AgentMemory memory = provider.GetRequiredService<AgentMemory>();
        RememberResult result = await memory.RememberAsync("Ada prefers trains to planes, whatever the weather. Her brother likes to fly to Lisbon in May, and in June he goes to Rome.");
        Assert.IsType<InMemoryStore>(provider.GetRequiredService<MemoryStore>());
        Assert.Same(provider.GetRequiredService<MemoryStore>(), memory.Store);
        Assert.True(result.Chunks > 1);
        await foreach (MemoryItem item in memory.ListAsync())
        {
            Assert.Equal(now, item.Time);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AddMemory_WithReranker_UsesItUnlessTakenOut(bool keep)
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddMemory(m => m.Configure(o => keep ? o : o with { Reranker = null })).AddReranker());
        AgentMemory memory = provider.GetRequiredService<AgentMemory>();
        await memory.RememberAsync("Ada prefers trains to planes.");
        IReadOnlyList<Evidence> found = await memory.RecallAsync("Does Ada prefer trains?", new RecallOptions { Floor = 0 });
        Assert.Equal(keep, Assert.Single(found).Trail.Any(stage => stage.Stage == "rerank"));
    }

    [Fact]
    public async Task AddMemory_Sqlite_SurvivesTheContainer()
    {
        string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        try
        {
            for (int round = 0; round < 2; round++)
            {
                await using ServiceProvider provider = HostedServices.Provider(services => services.AddKeyedMmBert("k", HostedServices.Mini).AddMemory(m => m.UseSqlite(Path.Combine(folder, "memory.db"))));
                AgentMemory memory = provider.GetRequiredKeyedService<AgentMemory>("k");
                Assert.Equal(round, (await memory.RememberAsync("Ada prefers trains to planes.")).Duplicates);
                Assert.Equal(1, await memory.CountAsync());
                Assert.Null(provider.GetService<AgentMemory>());
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void RelativePaths_InAHost_StartAtItsContentRoot()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = Paths.MiniEmbed });
        builder.Services.AddMmBert(o => o.EmbeddingModel = "../mini-embed").AddMemory(m => m.UseSqlite("memory.db"));
        using IHost host = builder.Build();
        Assert.Equal(Path.Combine(Paths.MiniEmbed, "memory.db"), host.Services.GetRequiredService<AgentMemory>().Store.Name);
        Assert.Equal(Paths.MiniEmbed, host.Services.GetRequiredService<MmBertEmbeddingGenerator>().GetService<ModelManifest>()!.Folder);
    }

    [Fact]
    public void RelativePaths_WithoutAHost_StartAtTheWorkingDirectory()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddMemory(m => m.UseSqlite("memory.db")));
        Assert.Equal(Path.GetFullPath("memory.db"), provider.GetRequiredService<AgentMemory>().Store.Name);
    }

    [Fact]
    public void AddMemory_Postgres_ConnectsOnlyWhenUsed()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddMemory(m => m.UsePostgres("Host=db.example;Database=agents;Username=u;Password=secret")));
        Assert.Equal("db.example:5432/agents/skmmbert", provider.GetRequiredService<AgentMemory>().Store.Name);
    }

    [Fact]
    public void AddMemory_Null_IsRefused()
    {
        MmBertBuilder builder = new ServiceCollection().AddMmBert();
        Assert.Throws<ArgumentNullException>(() => builder.AddMemory(m => m.UseStore(null!)));
        Assert.Throws<ArgumentException>(() => builder.AddMemory(m => m.UseSqlite("")));
    }
}
