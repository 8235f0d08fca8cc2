using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace SkMmBert;

/// <summary>Adds what stands on the models of one <c>AddMmBert</c>.</summary>
/// <remarks>Everything is a singleton under the builder's key, made when it is first resolved, and disposed by the container before the models. Not thread-safe.</remarks>
/// <example><code>
/// services.AddMmBert(o => o.EmbeddingModel = "mini").AddReranker().AddToolRouter().AddMemory(m => m.UseSqlite("memory.db"));
/// // resolves IEmbeddingGenerator&lt;string, Embedding&lt;float&gt;&gt;, Reranker, ToolRouter and AgentMemory
/// </code></example>
public sealed class MmBertBuilder
{
    private readonly MmBertRegistration _registration;

    internal MmBertBuilder(IServiceCollection services, MmBertRegistration registration) => (Services, _registration) = (services, registration);

    /// <summary>The services that are added to.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The key that the services are resolved with; <see langword="null"/> for none.</summary>
    public string? ServiceKey => _registration.Key;

    /// <summary>Adds <see cref="Reranker"/> and <see cref="MmBertReranker"/> over <see cref="MmBertOptions.RerankModel"/>. A router and a memory of the same builder then use it.</summary>
    /// <param name="configure">Changes the options so far, which hold the effort of <see cref="MmBertOptions"/> and the container's clock.</param>
    public MmBertBuilder AddReranker(Func<RerankOptions, RerankOptions>? configure = null)
    {
        string? key = ServiceKey;
        _registration.Reranks = true;
        Services.AddKeyedSingleton(key, (services, _) =>
        {
            HostedModels models = services.GetRequiredKeyedService<HostedModels>(key);
            RerankOptions options = new() { Effort = models.Options.RerankEffort, Clock = models.Clock };
            return new MmBertReranker(models.Reranking!.Open(), configure is null ? options : configure(options));
        });
        Services.AddKeyedSingleton<Reranker>(key, (services, _) => services.GetRequiredKeyedService<MmBertReranker>(key));
        _registration.WarmUpSteps.Add((services, stop) => services.GetRequiredKeyedService<MmBertReranker>(key).ScoreAsync("warm", ["up"], stop));
        return this;
    }

    /// <summary>Adds <see cref="ToolRouter"/>.</summary>
    /// <param name="configure">Changes the options so far, which hold the container's clock and the reranker of this builder where one was added.</param>
    /// <param name="tools">The catalogue; <see langword="null"/> for every <see cref="AITool"/> among the services. With none of either it comes with each request.</param>
    public MmBertBuilder AddToolRouter(Func<ToolRouterOptions, ToolRouterOptions>? configure = null, Func<IServiceProvider, IEnumerable<AITool>>? tools = null)
    {
        string? key = ServiceKey;
        Services.AddKeyedSingleton(key, (services, _) =>
        {
            HostedModels models = services.GetRequiredKeyedService<HostedModels>(key);
            ToolRouterOptions options = new() { Reranker = OwnReranker(services), Clock = models.Clock };
            IEnumerable<AITool> catalogue = tools is null ? services.GetServices<AITool>() : tools(services);
            return new ToolRouter(services.GetRequiredKeyedService<MmBertEmbeddingGenerator>(key), catalogue, configure is null ? options : configure(options));
        });
        _registration.WarmUpSteps.Add((services, stop) => services.GetRequiredKeyedService<ToolRouter>(key).IndexAsync(stop));
        return this;
    }

    /// <summary>Adds <see cref="AgentMemory"/> and its <see cref="MemoryStore"/>.</summary>
    /// <param name="configure">Chooses the store and the options; <see langword="null"/> for a store in the process's memory.</param>
    public MmBertBuilder AddMemory(Action<MmBertMemoryBuilder>? configure = null)
    {
        string? key = ServiceKey;
        MmBertMemoryBuilder memory = new();
        configure?.Invoke(memory);
        Services.AddKeyedSingleton(key, (services, _) => memory.Store(services));
        Services.AddKeyedSingleton(key, (services, _) =>
        {
            MemoryOptions options = new() { Reranker = OwnReranker(services), Time = services.GetRequiredKeyedService<HostedModels>(key).Clock };
            return new AgentMemory(services.GetRequiredKeyedService<MmBertEmbeddingGenerator>(key), services.GetRequiredKeyedService<MemoryStore>(key), memory.Options(options));
        });
        return this;
    }

    // Asked when it is made, so that the order of the builder's calls does not matter.
    private MmBertReranker? OwnReranker(IServiceProvider services) => _registration.Reranks ? services.GetRequiredKeyedService<MmBertReranker>(ServiceKey) : null;
}
