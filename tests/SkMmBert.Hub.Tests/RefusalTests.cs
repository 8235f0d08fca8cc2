using System.Net;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace SkMmBert.Hub.Tests;

public sealed class RefusalTests
{
    [Theory]
    [InlineData(401, "GatedRepo", null, "'acme/encoder' is gated (HTTP 401)", "accept its terms", "HF_TOKEN")]
    [InlineData(403, "GatedRepo", "hf_other", "the token given has no access", "accept its terms", "account of the token")]
    [InlineData(401, "RepoNotFound", null, "does not exist", "or is private and no token was given", "HF_TOKEN")]
    [InlineData(401, null, "hf_wrong", "the token given may not read it", "Check the name", "HTTP 401")]
    [InlineData(404, "RepoNotFound", null, "'acme/encoder' does not exist", "owner/name[@revision]", "HTTP 404")]
    [InlineData(418, null, null, "answered HTTP 418", "'acme/encoder'", "127.0.0.1")]
    public async Task PullAsync_Refused_SaysWhatToDoAndAsksOnce(int status, string? code, string? token, string first, string second, string third)
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = async (_, context) =>
        {
            await TestHub.RefuseAsync(context, status, code);
            return true;
        };
        using ModelHub hub = new(PullTests.Options(server, cache) with { Token = token });

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Equal(status, (int)error.StatusCode!);
        Assert.All((string[])[first, second, third], part => Assert.Contains(part, error.Message));
        Assert.DoesNotContain('\n', error.Message);
        if (token is not null) Assert.DoesNotContain(token, error.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task PullAsync_UnknownRevision_NamesIt()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = PullTests.Hub(server, cache);

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name + "@v9"));

        Assert.Contains("at revision 'v9' does not exist", error.Message);
        Assert.Contains("Check the part after '@'", error.Message);
    }

    [Fact]
    public async Task PullAsync_ListedFileIsGone_NamesIt()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = async (_, context) =>
        {
            if (!context.Request.Path.Value!.EndsWith("/tokenizer.json", StringComparison.Ordinal)) return false;
            await TestHub.RefuseAsync(context, 404, "EntryNotFound");
            return true;
        };
        using ModelHub hub = PullTests.Hub(server, cache);

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("'tokenizer.json' of 'acme/encoder' is missing", error.Message);
        Assert.False(hub.TryFind(TestHub.Name, out _));
    }

    [Fact]
    public async Task PullAsync_TooManyRequests_WaitsAsLongAsAsked()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        FastClock clock = new();
        int busy = 2;
        server.Intercept = async (host, context) =>
        {
            if (host == "hub" || Interlocked.Decrement(ref busy) < 0) return false;
            context.Response.Headers.RetryAfter = "7";
            await TestHub.RefuseAsync(context, 429, null);
            return true;
        };
        using ModelHub hub = new(PullTests.Options(server, cache) with { TimeProvider = clock, RangeBytes = 1 << 20 });
        Reports reports = new();

        await hub.PullAsync(TestHub.Name, progress: reports);

        Assert.Equal(2, clock.Asked.Count(t => t == TimeSpan.FromSeconds(7)));
        Assert.Equal(2, reports.All.Count(r => r.State == PullState.Retrying));
    }

    [Fact]
    public async Task PullAsync_AskedToWaitTooLong_SaysWhenToComeBack()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = async (_, context) =>
        {
            context.Response.Headers.RetryAfter = "3600";
            await TestHub.RefuseAsync(context, 429, null);
            return true;
        };
        using ModelHub hub = PullTests.Hub(server, cache);

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("come back in 3600 s", error.Message);
        Assert.Equal(HttpStatusCode.TooManyRequests, error.StatusCode);
    }

    [Fact]
    public async Task PullAsync_ServerErrors_BacksOffThenGivesUp()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        FastClock clock = new();
        server.Intercept = async (_, context) =>
        {
            await TestHub.RefuseAsync(context, 503, null);
            return true;
        };
        using ModelHub hub = new(PullTests.Options(server, cache) with { TimeProvider = clock, RetryDelay = TimeSpan.FromSeconds(1), Retries = 3 });

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("Gave up after 4 attempts", error.Message);
        Assert.Equal(4, server.Requests.Count);
        Assert.Equal([1, 2, 4], clock.Asked.Where(t => t != TimeSpan.FromSeconds(30)).Select(t => (int)t.TotalSeconds));
    }

    [Fact]
    public async Task PullAsync_NothingListens_GivesUpInWords()
    {
        using TemporaryFolder cache = new();
        using ModelHub hub = new(new HubOptions { Endpoint = new Uri("http://127.0.0.1:1"), CacheFolder = cache, Retries = 1, RetryDelay = TimeSpan.FromMilliseconds(1) });

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("Check the network or HF_ENDPOINT", error.Message);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public async Task PullAsync_WrongBytesOnce_FetchesAgain(string file)
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        int wrong = 1;
        SpoilAnswers(server, file, () => Interlocked.Exchange(ref wrong, 0) == 1);
        using ModelHub hub = PullTests.Hub(server, cache);

        DownloadedModel model = await hub.PullAsync(TestHub.Name);

        Assert.Equal(server.Files[file], File.ReadAllBytes(Path.Combine(model.Folder, file)));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public async Task PullAsync_WrongBytesAlways_KeepsNothingOfThem(string file)
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        SpoilAnswers(server, file, () => true);
        using ModelHub hub = PullTests.Hub(server, cache);

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains($"'{file}' of 'acme/encoder' arrived twice with wrong bytes", error.Message);
        Assert.False(hub.TryFind(TestHub.Name, out _));
        string name = file == "model.safetensors" ? TestHub.Sha256(server.Files[file]) : TestHub.GitHash(server.Files[file]);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(cache, "models--acme--encoder", "blobs"), name + "*"));
    }

    [Fact]
    public async Task PullAsync_RedirectsForEver_Stops()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.Intercept = (_, context) =>
        {
            context.Response.Redirect("/again");
            return Task.FromResult(true);
        };
        using ModelHub hub = PullTests.Hub(server, cache);

        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("redirected more than 10 times", error.Message);
        Assert.Equal(11, server.Requests.Count);
    }

    [Theory]
    [InlineData("\"sha\":\"0123456789abcdef0123456789abcdef01234567\"", "\"sha\":\"../../../../etc\"", "commit id")]
    [InlineData("\"sha\":\"0123456789abcdef0123456789abcdef01234567\"", "\"no\":\"\"", "cannot be read")]
    [InlineData("{", "not json {", "cannot be read")]
    [InlineData("\"rfilename\":\"config.json\"", "\"rfilename\":\"other.json\"", "has no config.json")]
    [InlineData("\"rfilename\":\"model.safetensors\"", "\"rfilename\":\"../model.safetensors\"", "has no safetensors weights (found: onnx/model.onnx")]
    public async Task PullAsync_HostileOrForeignListing_IsRefused(string old, string replacement, string expected)
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.EditListing = json => json.Replace(old, replacement);
        using ModelHub hub = PullTests.Hub(server, cache);

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains(expected, error.Message);
        Assert.Empty(Directory.EnumerateFiles(cache, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task PullAsync_HashThatIsAPath_IsRefused()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        server.EditListing = json => json.Replace(TestHub.Sha256(server.Files["model.safetensors"]), "../../../evil");
        using ModelHub hub = PullTests.Hub(server, cache);

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("Expected a SHA-256 or a git blob id", error.Message);
    }

    [Fact]
    public async Task PullAsync_TooLittleSpace_SaysHowMuchIsNeededBeforeItStarts()
    {
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        using ModelHub hub = new(PullTests.Options(server, cache) with { FreeSpace = _ => 100_000 });

        IOException error = await Assert.ThrowsAsync<IOException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("is full: 0.3 MB more are needed, 0.1 MB are free", error.Message);
        Assert.Equal(0, server.Count("store", ""));
    }

    [Fact]
    public async Task PullAsync_DiskFillsUpMidway_SaysSo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has a device that is always full.");
        await using TestHub server = await TestHub.StartAsync();
        using TemporaryFolder cache = new();
        string blobs = Path.Combine(cache, "models--acme--encoder", "blobs");
        Directory.CreateDirectory(blobs);
        File.CreateSymbolicLink(Path.Combine(blobs, TestHub.Sha256(server.Files["model.safetensors"]) + ".ranges.incomplete"), "/dev/full");
        using ModelHub hub = PullTests.Hub(server, cache);

        IOException error = await Assert.ThrowsAsync<IOException>(() => hub.PullAsync(TestHub.Name));

        Assert.Contains("is full", error.Message);
        Assert.Contains("HF_HUB_CACHE", error.Message);
    }

    private static void SpoilAnswers(TestHub server, string file, Func<bool> spoil) => server.Intercept = async (_, context) =>
    {
        if (context.Request.Path.Value!.EndsWith(".json", StringComparison.Ordinal) != file.EndsWith(".json", StringComparison.Ordinal)
            || !context.Request.Path.Value.EndsWith("/" + file, StringComparison.Ordinal)
            || (file == "model.safetensors" && context.Request.Path.Value.Contains("resolve")) || !spoil())
            return false;
        byte[] wrong = [.. server.Files[file]];
        wrong[^1] ^= 1;
        await server.SendAsync(context, wrong);
        return true;
    };
}
