using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;
using SkMmBert;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds local mmBERT models to the services that a kernel is made from.</summary>
/// <remarks>
/// <para>Every verb stands on the <c>AddKeyedMmBert</c> of its service id (see <see cref="MmBertServiceCollectionExtensions"/>): models are named and opened
/// as there, once, with the first use, and closed by the container. Not thread-safe, as any change of a service collection.</para>
/// </remarks>
/// <example><code>
/// builder.Services.AddKernel();
/// builder.Services.AddMmBertEmbeddingGenerator("mini").AddMmBertRerankingFilter().AddMmBertMemoryPlugin("memory.db");
/// </code></example>
public static class MmBertSemanticKernelServiceCollectionExtensions
{
    /// <summary>Adds <c>IEmbeddingGenerator&lt;string, Embedding&lt;float&gt;&gt;</c> and the non-generic <c>IEmbeddingGenerator</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="model">The path of a model folder, <c>mini</c>, or the name of a folder in the models folder.</param>
    /// <param name="serviceId">The key; <see langword="null"/> for none.</param>
    /// <param name="configure">Sets further options.</param>
    public static IServiceCollection AddMmBertEmbeddingGenerator(this IServiceCollection services, string model = "mini", string? serviceId = null, Action<MmBertOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        services.AddKeyedMmBert(serviceId, options => options.EmbeddingModel = model);
        if (configure is not null)
        {
            services.AddKeyedMmBert(serviceId, configure);
        }

        return services;
    }

    /// <summary>Adds a reranker and <see cref="MmBertRerankingFilter"/> over it, which every kernel made from these services then has.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Which functions are searches, and how they are reranked; <see langword="null"/> for the defaults.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="configure">Sets options of the models, such as <see cref="MmBertOptions.RerankModel"/>.</param>
    public static IServiceCollection AddMmBertRerankingFilter(this IServiceCollection services, RerankingFilterOptions? options = null, string? serviceId = null, Action<MmBertOptions>? configure = null)
    {
        MmBertBuilder models = services.AddKeyedMmBert(serviceId, configure);
        if (!Has<MmBertReranker>(services, serviceId))
        {
            models.AddReranker();
        }

        return services.AddSingleton<IFunctionInvocationFilter>(provider =>
            new MmBertRerankingFilter(provider.GetRequiredKeyedService<MmBertReranker>(serviceId), options, provider.GetService<ILoggerFactory>()));
    }

    /// <summary>Adds a tool router over the kernel's functions, <see cref="ToolRoutingFilter"/>, and the function <c>find_tools</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the router's options.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="pluginName">The name of the plugin with <c>find_tools</c>; <see langword="null"/> for no such plugin.</param>
    public static IServiceCollection AddMmBertToolRouter(this IServiceCollection services, Func<ToolRouterOptions, ToolRouterOptions>? configure = null, string? serviceId = null, string? pluginName = "tools")
    {
        MmBertBuilder models = services.AddKeyedMmBert(serviceId);
        if (!Has<ToolRouter>(services, serviceId))
        {
            models.AddToolRouter(configure);
        }

        services.AddKeyedSingleton(serviceId, (provider, _) => new ToolRoutingFilter(provider.GetRequiredKeyedService<ToolRouter>(serviceId)));
        services.AddSingleton<IFunctionInvocationFilter>(provider => provider.GetRequiredKeyedService<ToolRoutingFilter>(serviceId));
        services.AddSingleton<IPromptRenderFilter>(provider => provider.GetRequiredKeyedService<ToolRoutingFilter>(serviceId));
        services.AddSingleton<IAutoFunctionInvocationFilter>(provider => provider.GetRequiredKeyedService<ToolRoutingFilter>(serviceId));
        return pluginName is null ? services : services.AddSingleton(provider => provider.GetRequiredKeyedService<ToolRouter>(serviceId).ToFindToolsPlugin(pluginName));
    }

    /// <summary>Adds a memory in a SQLite file and the plugin with which a model uses it.</summary>
    /// <param name="services">The services.</param>
    /// <param name="path">The file; created at first use. A relative path starts at the host's content root, without a host at the working directory.</param>
    /// <param name="scope">Whose items these are; <see langword="null"/> for <see cref="MemoryScope.Shared"/>.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    public static IServiceCollection AddMmBertMemoryPlugin(this IServiceCollection services, string path, MemoryScope? scope = null, string? serviceId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return services.AddMmBertMemoryPlugin(memory => memory.UseSqlite(path), _ => scope ?? MemoryScope.Shared, serviceId);
    }

    /// <summary>Adds a memory in any store and the plugin with which a model uses it.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Chooses the store and the options; <see langword="null"/> for the memory that the same models already have, else one in the process.</param>
    /// <param name="scope">Whose items these are, read off the kernel of each call; <see langword="null"/> for <see cref="MemoryScope.Shared"/>.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="pluginName">The plugin's name.</param>
    public static IServiceCollection AddMmBertMemoryPlugin(
        this IServiceCollection services, Action<MmBertMemoryBuilder>? configure, Func<Kernel, MemoryScope>? scope = null, string? serviceId = null, string pluginName = "memory")
    {
        MmBertBuilder models = services.AddKeyedMmBert(serviceId);
        if (configure is not null || !Has<AgentMemory>(services, serviceId))
        {
            models.AddMemory(configure);
        }

        return services.AddSingleton(provider =>
            new MmBertMemoryPlugin(provider.GetRequiredKeyedService<AgentMemory>(serviceId), scope ?? (_ => MemoryScope.Shared)).ToKernelPlugin(pluginName));
    }

    private static bool Has<T>(IServiceCollection services, string? key) => services.Any(service => service.ServiceType == typeof(T) && Equals(service.ServiceKey, key));
}
