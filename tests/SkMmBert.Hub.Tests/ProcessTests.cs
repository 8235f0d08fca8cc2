using System.Diagnostics;
using Xunit;

namespace SkMmBert.Hub.Tests;

/// <summary>Pulls of several processes, and of one that is killed.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task PullAsync_TwoProcesses_DownloadEachFileOnce()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        SlowStore(server);

        using Process first = Start(server, cache), second = Start(server, cache);
        string[] folders = await Task.WhenAll(first.StandardOutput.ReadToEndAsync(), second.StandardOutput.ReadToEndAsync());
        await first.WaitForExitAsync();
        await second.WaitForExitAsync();

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Equal(folders[0], folders[1]);
        Assert.Equal(5, server.Count("store", "model.safetensors"));
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(folders[0].Trim(), "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_TwoHubsInOneProcess_DownloadEachFileOnce()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        SlowStore(server);
        using ModelHub first = PullTests.Hub(server, cache), second = PullTests.Hub(server, cache);
        Reports reports = new();

        DownloadedModel[] models = await Task.WhenAll(first.PullAsync(TestHub.Name, progress: reports), second.PullAsync(TestHub.Name, progress: reports));

        Assert.Equal(models[0], models[1]);
        Assert.Equal(3, server.Count("store", "model.safetensors"));
        Assert.Contains(reports.All, r => r.State == PullState.Waiting);
    }

    [Fact]
    public async Task PullAsync_AfterAKilledProcess_GoesOnFromItsRanges()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        TaskCompletionSource reached = new();
        int answered = 0;
        server.Intercept = async (host, context) =>
        {
            if (host == "store" && Interlocked.Increment(ref answered) > 3)
            {
                reached.TrySetResult();
                await Task.Delay(5_000, context.RequestAborted).ContinueWith(_ => { });
            }

            return false;
        };
        using Process killed = Start(server, cache);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));
        string journal = Path.Combine(cache, "models--acme--encoder", "blobs", TestHub.Sha256(server.Files["model.safetensors"]) + ".ranges");
        for (int i = 0; i < 200 && (!File.Exists(journal) || File.ReadAllLines(journal).Length < 3); i++) await Task.Delay(20);
        killed.Kill();
        await killed.WaitForExitAsync();
        server.Requests.Clear();
        server.Intercept = (_, _) => Task.FromResult(false);
        using ModelHub hub = new(PullTests.Options(server, cache) with { RangeBytes = 64 << 10 });
        Assert.False(hub.TryFind(TestHub.Name, out _));

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(2, server.Count("store", "model.safetensors"));
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    private static void SlowStore(TestHub server) => server.Intercept = async (host, context) =>
    {
        if (host == "store") await Task.Delay(300);
        return false;
    };

    private static Process Start(TestHub server, string cache)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(ProcessTests).Assembly.Location);
        foreach (string argument in (string[])["pull", server.Endpoint.AbsoluteUri, cache, TestHub.Name]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
