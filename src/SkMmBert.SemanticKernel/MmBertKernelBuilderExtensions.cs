using Microsoft.Extensions.DependencyInjection;
using SkMmBert;

namespace Microsoft.SemanticKernel;

/// <summary>Adds local mmBERT models to a kernel that is being built.</summary>
/// <remarks>The verbs are those of <see cref="MmBertSemanticKernelServiceCollectionExtensions"/>; what they add belongs to the kernel's services. Not thread-safe.</remarks>
/// <example><code>
/// IKernelBuilder builder = Kernel.CreateBuilder();
/// builder.AddMmBertEmbeddingGenerator("mini").AddMmBertRerankingFilter().AddMmBertMemoryPlugin("memory.db");
/// Kernel kernel = builder.Build();
/// </code></example>
public static class MmBertKernelBuilderExtensions
{
    /// <inheritdoc cref="MmBertSemanticKernelServiceCollectionExtensions.AddMmBertEmbeddingGenerator"/>
    /// <param name="builder">The kernel's builder.</param>
    /// <param name="model">The path of a model folder, <c>mini</c>, or the name of a folder in the models folder.</param>
    /// <param name="serviceId">The key; <see langword="null"/> for none.</param>
    /// <param name="configure">Sets further options.</param>
    public static IKernelBuilder AddMmBertEmbeddingGenerator(this IKernelBuilder builder, string model = "mini", string? serviceId = null, Action<MmBertOptions>? configure = null) =>
        With(builder, services => services.AddMmBertEmbeddingGenerator(model, serviceId, configure));

    /// <inheritdoc cref="MmBertSemanticKernelServiceCollectionExtensions.AddMmBertRerankingFilter"/>
    /// <param name="builder">The kernel's builder.</param>
    /// <param name="options">Which functions are searches, and how they are reranked; <see langword="null"/> for the defaults.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="configure">Sets options of the models, such as <see cref="MmBertOptions.RerankModel"/>.</param>
    public static IKernelBuilder AddMmBertRerankingFilter(this IKernelBuilder builder, RerankingFilterOptions? options = null, string? serviceId = null, Action<MmBertOptions>? configure = null) =>
        With(builder, services => services.AddMmBertRerankingFilter(options, serviceId, configure));

    /// <inheritdoc cref="MmBertSemanticKernelServiceCollectionExtensions.AddMmBertToolRouter"/>
    /// <param name="builder">The kernel's builder.</param>
    /// <param name="configure">Changes the router's options.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="pluginName">The name of the plugin with <c>find_tools</c>; <see langword="null"/> for no such plugin.</param>
    public static IKernelBuilder AddMmBertToolRouter(this IKernelBuilder builder, Func<ToolRouterOptions, ToolRouterOptions>? configure = null, string? serviceId = null, string? pluginName = "tools") =>
        With(builder, services => services.AddMmBertToolRouter(configure, serviceId, pluginName));

    /// <summary>Adds a memory in a SQLite file and the plugin with which a model uses it.</summary>
    /// <param name="builder">The kernel's builder.</param>
    /// <param name="path">The file; created at first use. A relative path starts at the host's content root, without a host at the working directory.</param>
    /// <param name="scope">Whose items these are; <see langword="null"/> for <see cref="MemoryScope.Shared"/>.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    public static IKernelBuilder AddMmBertMemoryPlugin(this IKernelBuilder builder, string path, MemoryScope? scope = null, string? serviceId = null) =>
        With(builder, services => services.AddMmBertMemoryPlugin(path, scope, serviceId));

    /// <summary>Adds a memory in any store and the plugin with which a model uses it.</summary>
    /// <param name="builder">The kernel's builder.</param>
    /// <param name="configure">Chooses the store and the options; <see langword="null"/> for the memory that the same models already have, else one in the process.</param>
    /// <param name="scope">Whose items these are, read off the kernel of each call; <see langword="null"/> for <see cref="MemoryScope.Shared"/>.</param>
    /// <param name="serviceId">The key of the models; <see langword="null"/> for none.</param>
    /// <param name="pluginName">The plugin's name.</param>
    public static IKernelBuilder AddMmBertMemoryPlugin(
        this IKernelBuilder builder, Action<MmBertMemoryBuilder>? configure, Func<Kernel, MemoryScope>? scope = null, string? serviceId = null, string pluginName = "memory") =>
        With(builder, services => services.AddMmBertMemoryPlugin(configure, scope, serviceId, pluginName));

    private static IKernelBuilder With(IKernelBuilder builder, Action<IServiceCollection> add)
    {
        ArgumentNullException.ThrowIfNull(builder);
        add(builder.Services);
        return builder;
    }
}
