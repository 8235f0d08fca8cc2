using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace SkMmBert.Hosting.Tests;

/// <summary>Containers over the models of the repository.</summary>
internal static class HostedServices
{
    public static string Models { get; } = Path.Combine(Paths.Root, "models");

    public static void Mini(MmBertOptions options) => options.ModelsFolder = Models;

    public static ServiceProvider Provider(Action<IServiceCollection> add)
    {
        ServiceCollection services = new();
        add(services);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public static IConfiguration Configuration(params (string Name, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(value => "SkMmBert:" + value.Name, value => (string?)value.Value)).Build().GetSection("SkMmBert");
}

/// <summary>A clock that stands still.</summary>
internal sealed class StandingClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
