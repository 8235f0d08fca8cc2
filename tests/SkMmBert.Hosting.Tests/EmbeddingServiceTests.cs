using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace SkMmBert.Hosting.Tests;

public sealed class EmbeddingServiceTests
{
    [Fact]
    public void GetService_NothingAdded_IsNone()
    {
        using ServiceProvider provider = HostedServices.Provider(_ => { });
        Assert.Null(provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Null(provider.GetService<AgentMemory>());
    }

    [Fact]
    public async Task GetService_Added_MakesVectors()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini));
        var embedder = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        Assert.Equal(256, (await embedder.GenerateAsync(["a train"]))[0].Dimensions);
        Assert.Null(provider.GetService<Reranker>());
        Assert.Null(provider.GetService<ToolRouter>());
        Assert.Null(provider.GetService<AgentMemory>());
    }

    [Fact]
    public void GetService_BothDescriptors_AreOneGenerator()
    {
        ServiceCollection services = new();
        services.AddMmBert(HostedServices.Mini);
        Assert.Single(services, service => service.ServiceType == typeof(IEmbeddingGenerator));
        Assert.Single(services, service => service.ServiceType == typeof(IEmbeddingGenerator<string, Embedding<float>>));
        using ServiceProvider provider = services.BuildServiceProvider();
        MmBertEmbeddingGenerator generator = provider.GetRequiredService<MmBertEmbeddingGenerator>();
        Assert.Same(generator, provider.GetRequiredService<IEmbeddingGenerator>());
        Assert.Same(generator, provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
    }

    [Fact]
    public void GetService_Keyed_IsOnlyUnderItsKey()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddKeyedMmBert("local", HostedServices.Mini));
        Assert.Null(provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Null(provider.GetService<IEmbeddingGenerator>());
        MmBertEmbeddingGenerator generator = provider.GetRequiredKeyedService<MmBertEmbeddingGenerator>("local");
        Assert.Same(generator, provider.GetRequiredKeyedService<IEmbeddingGenerator>("local"));
        Assert.Same(generator, provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("local"));
    }

    [Fact]
    public async Task GetService_ManyKeys_HaveTheirOptionsAndOneModel()
    {
        using ServiceProvider provider = HostedServices.Provider(services =>
        {
            services.AddMmBert(HostedServices.Mini);
            services.AddKeyedMmBert("short", o => (o.ModelsFolder, o.Dimensions) = (HostedServices.Models, 64));
            services.AddKeyedMmBert("early", o => (o.EmbeddingModel, o.Exit) = (Paths.MiniEmbed, 3));
            services.AddKeyedMmBert("int8", o => (o.ModelsFolder, o.Precision) = (HostedServices.Models, ModelPrecision.Int8));
        });
        MmBertEmbeddingGenerator[] generators = [provider.GetRequiredService<MmBertEmbeddingGenerator>(), .. new[] { "short", "early", "int8" }.Select(key => provider.GetRequiredKeyedService<MmBertEmbeddingGenerator>(key))];
        Assert.Equal(4, generators.Select(generator => generator.Fingerprint).Distinct().Count());
        Assert.Equal([256, 64, 256, 256], (await Task.WhenAll(generators.Select(generator => generator.GenerateAsync(["a train"])))).Select(vectors => vectors[0].Dimensions));
        MmBertModel[] models = [.. generators.Select(generator => generator.GetService<MmBertModel>()!)];
        Assert.Same(models[0], models[1]);
        Assert.Same(models[0], models[2]);
        Assert.NotSame(models[0], models[3]);
    }

    [Fact]
    public void AddMmBert_Twice_ConfiguresFurther()
    {
        ServiceCollection services = new();
        services.AddMmBert(HostedServices.Mini);
        services.AddMmBert(o => o.Dimensions = 64);
        Assert.Single(services, service => service.ServiceType == typeof(IEmbeddingGenerator));
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal(64, provider.GetRequiredService<IEmbeddingGenerator>().GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
    }

    [Fact]
    public async Task GetService_FirstResolutionFromManyThreads_OpensOnce()
    {
        string cache = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        try
        {
            using ServiceProvider provider = HostedServices.Provider(services =>
            {
                foreach (string key in (string[])["a", "b", "c", "d"])
                {
                    services.AddKeyedMmBert(key, o => (o.ModelsFolder, o.CacheFolder) = (HostedServices.Models, cache)).AddReranker();
                }
            });
            using Barrier barrier = new(8);
            MmBertModel[] models = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
                () =>
                {
                    barrier.SignalAndWait();
                    return provider.GetRequiredKeyedService<MmBertEmbeddingGenerator>("abcd"[i % 4].ToString()).GetService<MmBertModel>()!;
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.Single(models.Distinct());
            Assert.Single(Directory.GetFiles(cache, "skmmbert.json", SearchOption.AllDirectories));
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public async Task Dispose_Container_ClosesTheModels()
    {
        ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddReranker().AddMemory());
        MmBertEmbeddingGenerator generator = provider.GetRequiredService<MmBertEmbeddingGenerator>();
        Reranker reranker = provider.GetRequiredService<Reranker>();
        await generator.GenerateAsync(["a train"]);
        provider.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["a train"]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reranker.ScoreAsync("a", ["b"]));
        Assert.Throws<ObjectDisposedException>(() => provider.GetRequiredService<Reranker>());
    }

    [Fact]
    public async Task Dispose_Container_DisposesTheStoreWhileTheModelIsOpen()
    {
        bool worked = false;
        ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Mini).AddMemory(m => m.UseStore(_ => new LastWordStore())));
        MmBertEmbeddingGenerator generator = provider.GetRequiredService<MmBertEmbeddingGenerator>();
        _ = provider.GetRequiredService<AgentMemory>();
        LastWordStore store = (LastWordStore)provider.GetRequiredService<MemoryStore>();
        store.Last = () => worked = generator.GenerateAsync(["a train"]).Wait(TimeSpan.FromSeconds(60));
        provider.Dispose();
        Assert.True(worked);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["a train"]));
    }

    [Fact]
    public async Task GetService_FolderAppearsLater_OpensThen()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("skmmbert-").FullName, "late");
        try
        {
            using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(o => o.EmbeddingModel = folder));
            string line = Assert.Throws<DirectoryNotFoundException>(() => provider.GetRequiredService<IEmbeddingGenerator>()).Message;
            Assert.Contains(folder, line, StringComparison.Ordinal);
            Assert.Contains("Expected:", line, StringComparison.Ordinal);
            Directory.CreateDirectory(folder);
            Assert.ThrowsAny<IOException>(() => provider.GetRequiredService<IEmbeddingGenerator>());
            foreach (string file in Directory.GetFiles(Paths.MiniEmbed))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
            File.Copy(Path.Combine(Paths.MiniEmbed, "1_Pooling", "config.json"), Path.Combine(folder, "1_Pooling", "config.json"));
            await provider.GetRequiredService<MmBertEmbeddingGenerator>().GenerateAsync(["a train"]);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    [Fact]
    public void GetService_DimensionsTheModelLacks_NamesThem()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(o => (o.ModelsFolder, o.Dimensions) = (HostedServices.Models, 100)));
        string line = Assert.Throws<ArgumentOutOfRangeException>(() => provider.GetRequiredService<IEmbeddingGenerator>()).Message;
        Assert.StartsWith("100 dimensions were asked of 'mini-embed'. Expected: one of", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clock_AmongTheServices_IsTheGenerators()
    {
        DateTimeOffset now = new(2031, 2, 3, 4, 5, 6, TimeSpan.Zero);
        using ServiceProvider provider = HostedServices.Provider(services => services.AddSingleton<TimeProvider>(new StandingClock(now)).AddMmBert(HostedServices.Mini));
        Assert.Equal(now, (await provider.GetRequiredService<MmBertEmbeddingGenerator>().GenerateAsync(["a train"]))[0].CreatedAt);
    }
}
