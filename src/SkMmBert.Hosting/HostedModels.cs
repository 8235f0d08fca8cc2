using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace SkMmBert;

/// <summary>The models and the clock of one <c>AddMmBert</c>.</summary>
internal sealed class HostedModels
{
    public HostedModels(IServiceProvider services, MmBertRegistration registration)
    {
        Options = services.GetRequiredService<IOptionsMonitor<MmBertOptions>>().Get(registration.OptionsName);
        Clock = services.GetService<TimeProvider>() ?? TimeProvider.System;
        ModelPool pool = services.GetRequiredService<ModelPool>();
        ILogger logger = services.GetService<ILoggerFactory>()?.CreateLogger("SkMmBert.Hosting") ?? NullLogger.Instance;
        string root = Path.GetFullPath(services.GetService<IHostEnvironment>()?.ContentRootPath ?? ".");
        ModelFolders folders = new(root, Options.ModelsFolder);
        ModelOptions how = new()
        {
            Precision = Options.Precision,
            Device = Options.Device,
            Threads = Options.Threads,
            CacheFolder = Options.CacheFolder is { } cache ? Path.GetFullPath(cache, root) : null,
        };
        Embedding = Model(Options.EmbeddingModel, "embed");
        Reranking = registration.Reranks ? Model(Options.RerankModel, "rerank") : null;

        HostedModel Model(string name, string role) => new(name, role, folders, how, pool, Options.WarmUp, Clock, logger);
    }

    public MmBertOptions Options { get; }

    public TimeProvider Clock { get; }

    public HostedModel Embedding { get; }

    /// <summary>Null where no reranker was added.</summary>
    public HostedModel? Reranking { get; }
}
