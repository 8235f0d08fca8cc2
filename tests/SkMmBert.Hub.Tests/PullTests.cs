using Microsoft.AspNetCore.Http;
using Xunit;

namespace SkMmBert.Hub.Tests;

public sealed class PullTests
{
    [Fact]
    public async Task PullAsync_NewModel_GivesOnlyTheNeededFilesByteForByte()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        string[] expected = ["1_Pooling/config.json", "README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
        Assert.Equal(expected, Relative(model.Folder));
        foreach (string file in expected) Assert.Equal(server.Files[file], File.ReadAllBytes(Path.Combine(model.Folder, file)));
        Assert.Equal(("apache-2.0", TestHub.Commit), (model.License, model.Revision));
        Assert.Equal(expected.Sum(f => server.Files[f].Length), model.Bytes);
        Assert.Equal(TestHub.Commit, File.ReadAllText(Path.Combine(cache, "models--acme--encoder", "refs", "main")));
        Assert.Equal(Path.Combine(cache, "models--acme--encoder", "snapshots", TestHub.Commit), model.Folder);
        Assert.Empty(Directory.EnumerateFiles(cache, "*ranges*", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateDirectories(cache, ".draft*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task PullAsync_SymbolicLinks_PointAtBlobsNamedByTheirHash()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows may forbid links.");
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal($"../../blobs/{TestHub.Sha256(server.Files["model.safetensors"])}", new FileInfo(Path.Combine(model.Folder, "model.safetensors")).LinkTarget);
        Assert.Equal($"../../../blobs/{TestHub.GitHash(server.Files["1_Pooling/config.json"])}", new FileInfo(Path.Combine(model.Folder, "1_Pooling/config.json")).LinkTarget);
    }

    [Fact]
    public async Task PullAsync_LinksNotWanted_CopiesFiles()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = new(Options(server, cache) with { UseSymbolicLinks = false });

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Null(new FileInfo(Path.Combine(model.Folder, "model.safetensors")).LinkTarget);
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_SecondTime_AsksForTheListingOnly()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = Hub(server, cache);
        await hub.PullAsync(TestHub.Name);
        server.Requests.Clear();

        await hub.PullAsync(TestHub.Name);

        Assert.Equal(["/api/models/acme/encoder/revision/main"], server.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task PullAsync_LargeFile_ComesInRangesSeveralAtOnce()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        int now = 0, most = 0;
        server.Intercept = async (host, context) =>
        {
            if (host == "hub") return false;
            int running = Interlocked.Increment(ref now);
            for (int seen = most; running > seen; seen = most) Interlocked.CompareExchange(ref most, running, seen);
            await Task.Delay(30);
            Interlocked.Decrement(ref now);
            return false;
        };
        using ModelHub hub = new(Options(server, cache) with { RangeBytes = 40_000, Parallelism = 3 });

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(8, server.Count("store", "model.safetensors"));
        Assert.InRange(most, 2, 3);
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_RedirectToAnotherHost_KeepsTheTokenAtTheHub()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = new(Options(server, cache) with { Token = "hf_secret" });

        await hub.PullAsync(TestHub.Name);

        Assert.All(server.Requests.Where(r => r.Host == "hub"), r => Assert.Equal("Bearer hf_secret", r.Token));
        Assert.Contains(server.Requests, r => r.Host == "store");
        Assert.All(server.Requests.Where(r => r.Host == "store"), r => Assert.Null(r.Token));
    }

    [Fact]
    public async Task PullAsync_ConnectionDropsOften_GoesOnWithoutAskingTwice()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = async (host, context) =>
        {
            if (host == "hub") return false;
            await server.SendAsync(context, server.Files["model.safetensors"], most: 70_000);
            return true;
        };
        using ModelHub hub = new(Options(server, cache) with { RangeBytes = 1 << 20 });

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
        // Each request starts where the one before was dropped. What was in flight may be lost, so the exact offsets vary.
        long[] starts = [.. server.Requests.Where(r => r.Host == "store").Select(r => r.Range is null ? 0 : long.Parse(r.Range["bytes=".Length..r.Range.IndexOf('-')]))];
        Assert.True(starts.Length >= 5);
        Assert.Equal(starts.Order(), starts);
        Assert.True(starts[^1] > 0);
    }

    [Fact]
    public async Task PullAsync_CancelledMidway_LaterPullFetchesOnlyTheRest()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using CancellationTokenSource stop = new();
        int answered = 0;
        server.Intercept = async (host, context) =>
        {
            if (host == "hub" || Interlocked.Increment(ref answered) <= 4) return false;
            await stop.CancelAsync();
            await Task.Delay(200);
            return false;
        };
        HubOptions options = Options(server, cache) with { RangeBytes = 30_000, Parallelism = 1 };
        using ModelHub hub = new(options);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hub.PullAsync(TestHub.Name, cancellationToken: stop.Token));
        Assert.False(hub.TryFind(TestHub.Name, out _));
        server.Requests.Clear();
        server.Intercept = (_, _) => Task.FromResult(false);
        Reports reports = new();

        DownloadedModel model = await hub.PullAsync(TestHub.Name, progress: reports);

        Assert.Equal(6, server.Count("store", "model.safetensors"));
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
        Assert.Contains(reports.All, r => r.File == "model.safetensors" && r.Bytes >= 120_000 && r.BytesPerSecond == 0);
    }

    [Fact]
    public async Task PullAsync_ServerIgnoresRanges_TakesTheWholeFile()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.SupportsRanges = false;
        using ModelHub hub = new(Options(server, cache) with { RangeBytes = 50_000 });
        Reports reports = new();

        DownloadedModel model = await hub.PullAsync(TestHub.Name, progress: reports);

        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
        Assert.Equal(reports.All.Last().TotalBytes, reports.All.Last().Bytes);
    }

    [Fact]
    public async Task PullAsync_ServerSaysNothing_CountsAsDropped()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        int silent = 1;
        server.Intercept = async (host, context) =>
        {
            if (host == "hub" || Interlocked.Exchange(ref silent, 0) == 0) return false;
            await server.SendAsync(context, server.Files["model.safetensors"], bytesPerStep: 100_000, pause: TimeSpan.FromSeconds(2));
            return true;
        };
        using ModelHub hub = new(Options(server, cache) with { StallTimeout = TimeSpan.FromMilliseconds(300), RangeBytes = 1 << 20 });
        Reports reports = new();

        DownloadedModel model = await hub.PullAsync(TestHub.Name, progress: reports);

        Assert.Contains(reports.All, r => r.State == PullState.Retrying);
        Assert.Equal("bytes=100000-299999", server.Requests.Last(r => r.Host == "store").Range);
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_ServerNeverAnswers_CountsAsDropped()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        int silent = 1;
        server.Intercept = async (_, context) =>
        {
            if (Interlocked.Exchange(ref silent, 0) == 1) await Task.Delay(TimeSpan.FromSeconds(5), context.RequestAborted).ContinueWith(_ => { });
            return false;
        };
        using ModelHub hub = new(Options(server, cache) with { StallTimeout = TimeSpan.FromMilliseconds(300) });

        await hub.PullAsync(TestHub.Name).WaitAsync(TimeSpan.FromSeconds(4));

        Assert.Equal(2, server.Count("hub", "/api/models"));
    }

    [Fact]
    public async Task PullAsync_Proxy_CarriesTheRequests()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        HashSet<string> hosts = [];
        server.Intercept = (_, context) =>
        {
            lock (hosts) hosts.Add(context.Request.Host.Value!);
            return Task.FromResult(false);
        };
        using ModelHub hub = new(Options(server, cache) with { Endpoint = new Uri("http://hub.invalid"), Proxy = new System.Net.WebProxy(server.Endpoint) });
        server.Files.TryRemove("model.safetensors", out _);
        server.Add("model.safetensors", "small enough for the hub itself");

        await hub.PullAsync(TestHub.Name);

        Assert.Equal(["hub.invalid"], hosts);
    }

    [Fact]
    public async Task PullAsync_Progress_GrowsToTheTotalAndEstimates()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = async (host, context) =>
        {
            if (host == "hub") return false;
            await server.SendAsync(context, server.Files["model.safetensors"], bytesPerStep: 30_000, pause: TimeSpan.FromMilliseconds(60));
            return true;
        };
        using ModelHub hub = new(Options(server, cache) with { RangeBytes = 1 << 20 });
        Reports reports = new();

        DownloadedModel model = await hub.PullAsync(TestHub.Name, progress: reports);

        PullProgress[] all = [.. reports.All];
        Assert.Equal(all.Select(r => r.Bytes).Order(), all.Select(r => r.Bytes));
        Assert.Equal((model.Bytes, model.Bytes, PullState.Done, TimeSpan.Zero), (all[^1].Bytes, all[^1].TotalBytes, all[^1].State, all[^1].Remaining));
        Assert.Contains(all, r => r.State == PullState.Downloading && r.BytesPerSecond is > 50_000 and < 50_000_000 && r.Remaining > TimeSpan.Zero);
        Assert.Contains(all, r => r.State == PullState.Verifying);
    }

    [Fact]
    public async Task PullAsync_ListingWithoutHashes_AsksForEach()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.ListingHasBlobs = false;
        using ModelHub hub = Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(6, server.Count("hub", "/resolve/", "HEAD"));
        Assert.Equal(0, server.Count("store", "", "HEAD"));
        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_Onnx_TakesGraphsWithTheirDataAndNoSafetensors()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        foreach (string file in (string[])["onnx/layer-6/model.onnx", "onnx/layer-6/model.onnx.data", "onnx/layer-6/model_fa_fp16.onnx", "onnx/layer-22/model.onnx", "onnx/layer-22/model.onnx.data"]) server.Add(file, 9_000 + file.Length);
        server.Add("onnx/model_config.json", "{}");
        using ModelHub hub = Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name, new PullOptions { Weights = WeightFormat.Onnx });

        Assert.Equal(
            ["onnx/layer-22/model.onnx", "onnx/layer-22/model.onnx.data", "onnx/layer-6/model.onnx", "onnx/layer-6/model.onnx.data", "onnx/model.onnx", "onnx/model_config.json"],
            Relative(model.Folder).Where(f => f.Contains("onnx")));
        Assert.DoesNotContain("model.safetensors", Relative(model.Folder));
    }

    [Fact]
    public async Task PullAsync_ShardedReranker_TakesIndexShardsAndSafetensorsHeads()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Files.TryRemove("model.safetensors", out _);
        server.Add("model-00001-of-00002.safetensors", 50_000);
        server.Add("model-00002-of-00002.safetensors", 60_000);
        server.Add("model.safetensors.index.json", """{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");
        server.Add("matryoshka_config.json", "{}");
        server.Add("classification_heads.pt", 7_000);
        server.Add("classification_heads.safetensors", 7_500);
        using ModelHub hub = Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(["classification_heads.safetensors", "matryoshka_config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
            Relative(model.Folder).Where(f => f.StartsWith('m') || f.StartsWith("cl")));
    }

    [Fact]
    public async Task PullAsync_RevisionMoved_FetchesOnlyWhatChanged()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = Hub(server, cache);
        DownloadedModel old = await hub.PullAsync(TestHub.Name);
        string newCommit = new('f', 40);
        server.Add("tokenizer.json", """{"model":{"type":"WordPiece"}}""");
        server.EditListing = json => json.Replace(TestHub.Commit, newCommit);
        server.Intercept = async (host, context) =>
        {
            if (!context.Request.Path.Value!.Contains(newCommit)) return false;
            await server.SendAsync(context, server.Files[context.Request.Path.Value[(context.Request.Path.Value.IndexOf(newCommit, StringComparison.Ordinal) + 41)..]]);
            return true;
        };
        server.Requests.Clear();

        DownloadedModel moved = await hub.PullAsync(TestHub.Name);

        Assert.Equal(newCommit, moved.Revision);
        Assert.Equal([$"/acme/encoder/resolve/{newCommit}/tokenizer.json"], server.Requests.Where(r => r.Path.Contains("resolve")).Select(r => r.Path));
        Assert.Equal(newCommit, hub.Find(TestHub.Name).Revision);
        Assert.Equal(TestHub.Commit, hub.Find($"{TestHub.Name}@{old.Revision}").Revision);
    }

    internal static HubOptions Options(TestHub server, string cache) => new()
    {
        Endpoint = server.Endpoint,
        CacheFolder = cache,
        RangeBytes = 100_000,
        RetryDelay = TimeSpan.FromMilliseconds(10),
    };

    internal static ModelHub Hub(TestHub server, string cache) => new(Options(server, cache));

    internal static IEnumerable<string> Relative(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/')).Order(StringComparer.Ordinal);
}
