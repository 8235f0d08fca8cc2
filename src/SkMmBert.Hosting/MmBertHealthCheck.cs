using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SkMmBert;

/// <summary>Says whether the models of a host can take work: a readiness check over every <c>AddMmBert</c> of the container.</summary>
/// <remarks>
/// <para>A folder that is missing, a model that could not be opened, and a warm-up that has not ended are unhealthy, each with one line; the data
/// holds a line for every model. A model that opens with its first use is healthy. The check opens nothing and costs a look at the folders.</para>
/// <para>A process is live whatever this check says: give it the tag of your readiness endpoint only. Thread-safe.</para>
/// </remarks>
/// <example><code>
/// builder.Services.AddMmBert(o => o.WarmUp = ModelWarmUp.Background);
/// builder.Services.AddHealthChecks().AddCheck&lt;MmBertHealthCheck&gt;("skmmbert", tags: ["ready"]);
/// // Unhealthy: embedding model 'mini' is still being opened → Healthy: embedding model 'mini' is open
/// </code></example>
/// <param name="services">The container that <c>AddMmBert</c> was called for.</param>
public sealed class MmBertHealthCheck(IServiceProvider services) : IHealthCheck
{
    /// <summary>Looks how each model stands.</summary>
    /// <param name="context">What the check was registered with.</param>
    /// <param name="cancellationToken">Not needed: the check does not wait.</param>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        Dictionary<string, object> data = [];
        List<string> waiting = [], ready = [];
        Exception? first = null;
        foreach (MmBertRegistration registration in services.GetServices<MmBertRegistration>())
        {
            HostedModels models = services.GetRequiredKeyedService<HostedModels>(registration.Key);
            Look("embedding", models.Embedding, registration.Key);
            Look("reranking", models.Reranking, registration.Key);
        }

        if (data.Count == 0)
        {
            waiting.Add("No models are registered. Call services.AddMmBert(…) for the container of this health check.");
        }

        return Task.FromResult(waiting.Count == 0
            ? HealthCheckResult.Healthy(string.Join("; ", ready), data)
            : new HealthCheckResult(context.Registration.FailureStatus, string.Join("; ", waiting), first, data));

        void Look(string role, HostedModel? model, string? key)
        {
            if (model is not null)
            {
                (bool isReady, string line, Exception? error) = model.Report();
                data[key is null ? role : $"{key}.{role}"] = line;
                (isReady ? ready : waiting).Add(line);
                first ??= error;
            }
        }
    }
}
