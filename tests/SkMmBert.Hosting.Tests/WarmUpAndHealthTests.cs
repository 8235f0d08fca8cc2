using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace SkMmBert.Hosting.Tests;

public sealed class WarmUpAndHealthTests
{
    [Fact]
    public async Task StartAsync_NoWarmUp_OpensNothing()
    {
        using IHost host = Build(services => services.AddMmBert(HostedServices.Mini).AddReranker());
        await host.StartAsync();
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Healthy, "embedding model 'mini' opens with its first use; reranking model 'mini' opens with its first use"), (entry.Status, entry.Description));
        _ = host.Services.GetRequiredService<MmBertEmbeddingGenerator>();
        entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Healthy, "embedding model 'mini' is open", "reranking model 'mini' opens with its first use"), (entry.Status, entry.Data["embedding"], entry.Data["reranking"]));
    }

    [Fact]
    public async Task StartAsync_BeforeStart_HasOpenedEverything()
    {
        using IHost host = Build(services => services.AddKeyedMmBert("k", o => (o.ModelsFolder, o.WarmUp) = (HostedServices.Models, ModelWarmUp.BeforeStart)).AddReranker().AddToolRouter());
        await host.StartAsync();
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Healthy, "embedding model 'mini' is open", "reranking model 'mini' is open"), (entry.Status, entry.Data["k.embedding"], entry.Data["k.reranking"]));
        await host.StopAsync();
    }

    [Fact]
    public async Task StartAsync_BeforeStartAndNoFolder_EndsTheStart()
    {
        using IHost host = Build(services => services.AddMmBert(o => (o.EmbeddingModel, o.WarmUp) = ("./nowhere", ModelWarmUp.BeforeStart)));
        Assert.StartsWith("There is no model folder for './nowhere'.", (await Assert.ThrowsAsync<DirectoryNotFoundException>(() => host.StartAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_Background_BecomesHealthy()
    {
        using IHost host = Build(services => services.AddMmBert(o => (o.ModelsFolder, o.WarmUp) = (HostedServices.Models, ModelWarmUp.Background)));
        HealthReportEntry before = await CheckAsync(host);
        Assert.Equal((HealthStatus.Unhealthy, "embedding model 'mini' is still being opened"), (before.Status, before.Description));
        await host.StartAsync();
        for (int i = 0; i < 600 && (await CheckAsync(host)).Status != HealthStatus.Healthy; i++)
        {
            await Task.Delay(100);
        }

        Assert.Equal("embedding model 'mini' is open", (await CheckAsync(host)).Description);
        await host.StopAsync();
    }

    [Fact]
    public async Task StartAsync_BackgroundAndNoFolder_StartsUnhealthyWithTheLine()
    {
        using IHost host = Build(services => services.AddMmBert(o => (o.EmbeddingModel, o.WarmUp) = ("./nowhere", ModelWarmUp.Background)));
        await host.StartAsync();
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.StartsWith("There is no model folder for './nowhere'. Looked for: ", entry.Description, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', entry.Description!);
        await host.StopAsync();
    }

    [Fact]
    public async Task CheckHealth_BrokenFolder_SaysWhatIsWrongAfterTheFirstUse()
    {
        string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        try
        {
            using IHost host = Build(services => services.AddMmBert(o => o.EmbeddingModel = folder));
            Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
            Exception error = Assert.ThrowsAny<Exception>(() => host.Services.GetRequiredService<MmBertEmbeddingGenerator>());
            HealthReportEntry entry = await CheckAsync(host);
            Assert.Equal((HealthStatus.Unhealthy, error.Message), (entry.Status, entry.Description));
            Assert.NotNull(entry.Exception);
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    [Fact]
    public async Task CheckHealth_OpenModelWhoseFolderIsGone_StaysHealthy()
    {
        string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        foreach (string file in Directory.GetFiles(Paths.MiniEmbed, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(Paths.MiniEmbed, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        using IHost host = Build(services => services.AddMmBert(o => o.EmbeddingModel = folder));
        _ = host.Services.GetRequiredService<MmBertEmbeddingGenerator>();
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows does not delete a mapped file.");
        }

        Directory.Delete(folder, recursive: true);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
    }

    [Fact]
    public async Task CheckHealth_NoModels_IsUnhealthy()
    {
        using IHost host = Build(_ => { });
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Unhealthy, "No models are registered. Call services.AddMmBert(…) for the container of this health check."), (entry.Status, entry.Description));
    }

    [Fact]
    public async Task CheckHealth_OwnFailureStatus_IsKept()
    {
        using IHost host = Build(services => services.AddMmBert(o => o.EmbeddingModel = "./nowhere"), HealthStatus.Degraded);
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(host)).Status);
    }

    [Fact]
    public async Task StopAsync_WhileWarmingUp_ComesBack()
    {
        string cache = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        using (IHost host = Build(services => services.AddMmBert(o => (o.ModelsFolder, o.CacheFolder, o.WarmUp) = (HostedServices.Models, cache, ModelWarmUp.Background)).AddReranker()))
        {
            await host.StartAsync();
            await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }

        Directory.Delete(cache, recursive: true);
    }

    private static IHost Build(Action<IServiceCollection> add, HealthStatus? failure = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        add(builder.Services);
        builder.Services.AddHealthChecks().AddCheck<MmBertHealthCheck>("skmmbert", failure, ["ready"]);
        return builder.Build();
    }

    private static async Task<HealthReportEntry> CheckAsync(IHost host) => (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["skmmbert"];
}
