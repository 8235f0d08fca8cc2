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

/// <summary>One <c>AddMmBert</c> among the services.</summary>
/// <param name="key">Its key; <see langword="null"/> for the one without.</param>
internal sealed class MmBertRegistration(string? key)
{
    public string? Key => key;

    public string OptionsName => key ?? Microsoft.Extensions.Options.Options.DefaultName;

    /// <summary>Whether a reranker was added.</summary>
    public bool Reranks { get; set; }

    /// <summary>What a warm-up does, in this order.</summary>
    public List<Func<IServiceProvider, CancellationToken, Task>> WarmUpSteps { get; } = [];
}
