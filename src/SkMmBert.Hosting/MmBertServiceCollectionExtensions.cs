using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SkMmBert;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds local mmBERT models to a container.</summary>
/// <remarks>
/// <para>Each call adds <see cref="MmBertEmbeddingGenerator"/>, <c>IEmbeddingGenerator&lt;string, Embedding&lt;float&gt;&gt;</c> and the non-generic
/// <see cref="IEmbeddingGenerator"/>, all of them the same singleton; the builder that comes back adds reranker, router and memory. A model is opened
/// with the first service that needs it (the first time on a machine: seconds), or as <see cref="MmBertOptions.WarmUp"/> says; services and keys
/// that ask for the same folder in the same way share one opened model, which the container closes last.</para>
/// <para>Where <see cref="TimeProvider"/> is among the services it is the clock of everything. Not thread-safe, as any change of a service collection.</para>
/// </remarks>
public static class MmBertServiceCollectionExtensions
{
    /// <summary>Adds the models without a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options; <see langword="null"/> for the mini pair.</param>
    /// <example><code>
    /// services.AddMmBert(o => o.EmbeddingModel = "mini").AddToolRouter().AddMemory();
    /// // provider.GetRequiredService&lt;IEmbeddingGenerator&lt;string, Embedding&lt;float&gt;&gt;&gt;() → MmBertEmbeddingGenerator
    /// </code></example>
    public static MmBertBuilder AddMmBert(this IServiceCollection services, Action<MmBertOptions>? configure = null) => Add(services, null, configure);

    /// <summary>Adds the models without a key, with the options of a configuration section.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">Holds values named as in <see cref="MmBertOptions"/>; another name is refused when the options are read. Sections inside it are left alone.</param>
    /// <param name="configure">Sets options after the section did.</param>
    public static MmBertBuilder AddMmBert(this IServiceCollection services, IConfiguration section, Action<MmBertOptions>? configure = null) => Add(services, null, section, configure);

    /// <summary>Adds the models under a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key; <see langword="null"/> for none.</param>
    /// <param name="configure">Sets options; <see langword="null"/> for the mini pair.</param>
    public static MmBertBuilder AddKeyedMmBert(this IServiceCollection services, string? serviceKey, Action<MmBertOptions>? configure = null) => Add(services, serviceKey, configure);

    /// <summary>Adds the models under a key, with the options of a configuration section.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key; <see langword="null"/> for none.</param>
    /// <param name="section">Holds values named as in <see cref="MmBertOptions"/>; another name is refused when the options are read. Sections inside it are left alone.</param>
    /// <param name="configure">Sets options after the section did.</param>
    public static MmBertBuilder AddKeyedMmBert(this IServiceCollection services, string? serviceKey, IConfiguration section, Action<MmBertOptions>? configure = null) => Add(services, serviceKey, section, configure);

    private static MmBertBuilder Add(IServiceCollection services, string? key, IConfiguration section, Action<MmBertOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(section);
        return Add(services, key, options =>
        {
            MmBertConfiguration.Apply(key ?? Options.Options.DefaultName, section, options);
            configure?.Invoke(options);
        });
    }

    private static MmBertBuilder Add(IServiceCollection services, string? key, Action<MmBertOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        MmBertRegistration? registration = services.Where(service => !service.IsKeyedService).Select(service => service.ImplementationInstance).OfType<MmBertRegistration>().FirstOrDefault(known => known.Key == key);
        if (registration is null)
        {
            registration = new MmBertRegistration(key);
            AddServices(services, registration);
        }

        // A second call with the same key only configures further.
        if (configure is not null)
        {
            services.AddOptions<MmBertOptions>(registration.OptionsName).Configure(configure);
        }

        return new MmBertBuilder(services, registration);
    }

    private static void AddServices(IServiceCollection services, MmBertRegistration registration)
    {
        string? key = registration.Key;
        services.AddOptions<MmBertOptions>(registration.OptionsName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MmBertOptions>, MmBertOptionsValidation>());
        services.TryAddSingleton<ModelPool>();
        services.AddSingleton(registration);
        services.AddKeyedSingleton(key, (provider, _) => new HostedModels(provider, registration));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ModelWarmUpService>());
        services.AddKeyedSingleton(key, (provider, _) =>
        {
            HostedModels models = provider.GetRequiredKeyedService<HostedModels>(key);
            EmbeddingOptions options = new() { Dimensions = models.Options.Dimensions, Exit = models.Options.Exit, Clock = models.Clock };
            return new MmBertEmbeddingGenerator(models.Embedding.Open(), options);
        });
        services.AddKeyedSingleton<IEmbeddingGenerator<string, Embedding<float>>>(key, (provider, _) => provider.GetRequiredKeyedService<MmBertEmbeddingGenerator>(key));
        services.AddKeyedSingleton<IEmbeddingGenerator>(key, (provider, _) => provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>(key));
        registration.WarmUpSteps.Add((provider, stop) => provider.GetRequiredKeyedService<MmBertEmbeddingGenerator>(key).GenerateAsync(["warm up"], cancellationToken: stop));
    }
}
