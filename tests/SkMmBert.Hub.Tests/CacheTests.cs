using Xunit;

namespace SkMmBert.Hub.Tests;

public sealed class CacheTests
{
    private const string Commit = "89abcdef89abcdef89abcdef89abcdef89abcdef";

    [Fact]
    public void Find_DownloadOfAnotherTool_IsFound()
    {
        using TemporaryFolder cache = new();
        string folder = Snapshot(cache, "acme/encoder", Commit, withRef: "main");
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        DownloadedModel model = hub.Find("acme/encoder");

        Assert.Equal((folder, Commit, "mit"), (model.Folder, model.Revision, model.License));
        Assert.Equal(model, Assert.Single(hub.List()));
        Assert.Null(model.Known);
    }

    [Fact]
    public void Find_KnownModelAtMainOnly_IsFound()
    {
        using TemporaryFolder cache = new();
        Snapshot(cache, "llm-semantic-router/mmbert-embed-32k-2d-matryoshka", Commit, withRef: "main");
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        DownloadedModel model = hub.Find("mmbert-embed");

        Assert.Equal(Commit, model.Revision);
        Assert.Equal("mmbert-embed", model.Known?.Name);
        Assert.False(hub.TryFind("mmbert-embed@" + KnownModel.Find("mmbert-embed")!.Revision, out _));
    }

    [Fact]
    public void Find_KnownModelAtPinAndMain_TakesThePin()
    {
        using TemporaryFolder cache = new();
        KnownModel known = KnownModel.Find("mmbert-embed")!;
        Snapshot(cache, known.Repository, Commit, withRef: "main");
        Snapshot(cache, known.Repository, known.Revision, withRef: null);
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        Assert.Equal(known.Revision, hub.Find("mmbert-embed").Revision);
        Assert.Equal(Commit, hub.Find("mmbert-embed@main").Revision);
        Assert.Equal(2, hub.List().Count);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public void Find_IncompleteDownload_NamesWhatIsMissing(string file)
    {
        using TemporaryFolder cache = new();
        string folder = Snapshot(cache, "acme/encoder", Commit, withRef: "main");
        File.Delete(Path.Combine(folder, file));
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        DirectoryNotFoundException error = Assert.Throws<DirectoryNotFoundException>(() => hub.Find("acme/encoder"));

        Assert.Contains($"its download is incomplete, {file} is missing. Run 'skmmbert pull acme/encoder'", error.Message);
        Assert.Empty(hub.List());
    }

    [Fact]
    public void Find_LinkWithoutItsBlob_IsIncomplete()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows may forbid links.");
        using TemporaryFolder cache = new();
        string folder = Snapshot(cache, "acme/encoder", Commit, withRef: "main");
        File.Delete(Path.Combine(folder, "model.safetensors"));
        File.CreateSymbolicLink(Path.Combine(folder, "model.safetensors"), "../../blobs/gone");
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        Assert.False(hub.TryFind("acme/encoder", out _));
    }

    [Fact]
    public async Task PullAsync_Offline_UsesWhatIsThereOrSaysSo()
    {
        using TemporaryFolder cache = new();
        Snapshot(cache, "acme/encoder", Commit, withRef: "v2");
        using ModelHub hub = new(new HubOptions { CacheFolder = cache, Offline = true, Endpoint = new Uri("http://127.0.0.1:1") });

        Assert.Equal(Commit, (await hub.PullAsync("acme/encoder@v2")).Revision);
        DirectoryNotFoundException error = await Assert.ThrowsAsync<DirectoryNotFoundException>(() => hub.PullAsync("acme/encoder"));
        Assert.Contains("offline (HF_HUB_OFFLINE)", error.Message);
    }

    [Fact]
    public void List_OtherKindsOfModelsInTheCache_AreLeftOut()
    {
        using TemporaryFolder cache = new();
        string folder = Snapshot(cache, "acme/chat", Commit, withRef: "main");
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type":"llama"}""");
        Directory.CreateDirectory(Path.Combine(cache, "datasets--acme--texts"));
        using ModelHub hub = new(new HubOptions { CacheFolder = cache });

        Assert.Empty(hub.List());
    }

    [Fact]
    public void List_NoCache_IsEmpty()
    {
        using ModelHub hub = new(new HubOptions { CacheFolder = Path.Combine(Path.GetTempPath(), "skmmbert-not-there") });

        Assert.Empty(hub.List());
    }

    [Fact]
    public async Task PullAsync_TruncatedBlob_IsFetchedAgain()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = PullTests.Hub(server, cache);
        DownloadedModel model = await hub.PullAsync(TestHub.Name);
        string blob = Path.Combine(cache, "models--acme--encoder", "blobs", TestHub.Sha256(server.Files["model.safetensors"]));
        File.WriteAllBytes(blob, [1, 2, 3]);

        await hub.PullAsync(TestHub.Name);

        Assert.Equal(server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(model.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task PullAsync_OlderPartialSnapshot_IsCompleted()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = PullTests.Hub(server, cache);
        string snapshot = Path.Combine(cache, "models--acme--encoder", "snapshots", TestHub.Commit);
        Directory.CreateDirectory(snapshot);
        File.WriteAllBytes(Path.Combine(snapshot, "config.json"), server.Files["config.json"]);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(0, server.Count("hub", $"{TestHub.Commit}/config.json"));
        Assert.Equal(6, PullTests.Relative(model.Folder).Count());
    }

    private static string Snapshot(string cache, string repository, string commit, string? withRef)
    {
        string root = Path.Combine(cache, "models--" + repository.Replace("/", "--")), folder = Path.Combine(root, "snapshots", commit);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type":"modernbert"}""");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), "weights");
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nlicense: other\nlicense_name: 'mit'\n---\n");
        if (withRef is not null)
        {
            Directory.CreateDirectory(Path.Combine(root, "refs"));
            File.WriteAllText(Path.Combine(root, "refs", withRef), commit);
        }

        return folder;
    }
}
