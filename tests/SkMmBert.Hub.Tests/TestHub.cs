using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SkMmBert.Hub.Tests;

/// <summary>Plays the hub on loopback: listings, small files itself, large files on a second server it redirects to.</summary>
internal sealed class TestHub : IAsyncDisposable
{
    public const string Name = "acme/encoder";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private const int LargeFrom = 4 << 10;

    private readonly WebApplication _hub;
    private readonly WebApplication _store;

    private TestHub(WebApplication hub, WebApplication store)
    {
        _hub = hub;
        _store = store;
    }

    public sealed record Request(string Host, string Method, string Path, string? Range, string? Token);

    public ConcurrentQueue<Request> Requests { get; } = new();

    public ConcurrentDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs before each answer; returns true when it has answered itself. The first argument is "hub" or "store".</summary>
    public Func<string, HttpContext, Task<bool>> Intercept { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>Changes the listing before it is sent.</summary>
    public Func<string, string> EditListing { get; set; } = json => json;

    public bool ListingHasBlobs { get; set; } = true;

    public bool SupportsRanges { get; set; } = true;

    public Uri Endpoint => new(_hub.Urls.First());

    public Uri StoreEndpoint => new(_store.Urls.First());

    public static async Task<TestHub> StartAsync(bool withModel = true)
    {
        TestHub test = new(Build(), Build());
        test._hub.Run(context => test.AnswerAsync("hub", context, test.AnswerHubAsync));
        test._store.Run(context => test.AnswerAsync("store", context, test.AnswerStoreAsync));
        await test._hub.StartAsync();
        await test._store.StartAsync();
        if (withModel) test.AddModel();
        return test;
    }

    public int Count(string host, string part, string method = "GET") => Requests.Count(r => r.Host == host && r.Method == method && r.Path.Contains(part, StringComparison.Ordinal));

    public byte[] Add(string path, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(path.Length * 31 + bytes).NextBytes(content);
        return Files[path] = content;
    }

    public void Add(string path, string text) => Files[path] = Encoding.UTF8.GetBytes(text);

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _store.DisposeAsync();
    }

    private void AddModel()
    {
        Add("config.json", """{"model_type":"modernbert"}""");
        Add("tokenizer.json", """{"model":{"type":"BPE"}}""");
        Add("tokenizer_config.json", "{}");
        Add("1_Pooling/config.json", "{}");
        Add("README.md", "---\nlanguage: en\nlicense: apache-2.0 # as stated\n---\n# A model\n");
        Add("model.safetensors", 300_000);
        Add("pytorch_model.bin", 5_000);
        Add("optimizer.pt", 5_000);
        Add("onnx/model.onnx", 6_000);
        Add("onnx/model_quantized.onnx", 6_000);
        Add("runs/events.out", 5_000);
    }

    private static WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(k => k.Limits.MinResponseDataRate = null);
        return builder.Build();
    }

    private async Task AnswerAsync(string host, HttpContext context, Func<HttpContext, Task> answer)
    {
        string path = context.Request.Path.Value!;
        Requests.Enqueue(new Request(host, context.Request.Method, path, context.Request.Headers.Range.ToString() is { Length: > 0 } range ? range : null,
            context.Request.Headers.Authorization.ToString() is { Length: > 0 } token ? token : null));
        if (!await Intercept(host, context)) await answer(context);
    }

    private async Task AnswerHubAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        if (path.StartsWith($"/api/models/{Name}/revision/", StringComparison.Ordinal))
        {
            string revision = path[(path.LastIndexOf('/') + 1)..];
            if (revision is not ("main" or "v1" or Commit)) await RefuseAsync(context, 404, "RevisionNotFound");
            else await context.Response.WriteAsync(EditListing(Listing()));
        }
        else if (path.StartsWith($"/{Name}/resolve/{Commit}/", StringComparison.Ordinal))
        {
            string file = path[$"/{Name}/resolve/{Commit}/".Length..];
            if (!Files.TryGetValue(file, out byte[]? content)) await RefuseAsync(context, 404, "EntryNotFound");
            else if (content.Length < LargeFrom)
            {
                context.Response.Headers.ETag = $"\"{GitHash(content)}\"";
                await SendAsync(context, content);
            }
            else
            {
                context.Response.StatusCode = 302;
                context.Response.Headers.Location = new Uri(StoreEndpoint, "/blobs/" + file).AbsoluteUri;
                context.Response.Headers["X-Linked-Etag"] = $"\"{Sha256(content)}\"";
                context.Response.Headers["X-Linked-Size"] = content.Length.ToString();
            }
        }
        else
        {
            await RefuseAsync(context, 404, "RepoNotFound");
        }
    }

    private Task AnswerStoreAsync(HttpContext context) => Files.TryGetValue(context.Request.Path.Value!["/blobs/".Length..], out byte[]? content)
        ? SendAsync(context, content)
        : RefuseAsync(context, 404, null);

    public static Task RefuseAsync(HttpContext context, int status, string? code)
    {
        context.Response.StatusCode = status;
        if (code is not null) context.Response.Headers["X-Error-Code"] = code;
        return Task.CompletedTask;
    }

    /// <summary>Sends a file, or the range asked for; stops after <paramref name="most"/> bytes by dropping the connection.</summary>
    public async Task SendAsync(HttpContext context, byte[] content, int most = int.MaxValue, int bytesPerStep = int.MaxValue, TimeSpan pause = default)
    {
        int start = 0, end = content.Length;
        if (SupportsRanges && context.Request.GetTypedHeaders().Range?.Ranges.SingleOrDefault() is { } range)
        {
            start = (int)range.From!.Value;
            end = (int)Math.Min(content.Length, (range.To ?? content.Length - 1) + 1);
            context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
            context.Response.GetTypedHeaders().ContentRange = new(start, end - 1, content.Length);
        }

        context.Response.ContentLength = end - start;
        if (context.Request.Method == "HEAD") return;
        for (int sent = 0; start < end && sent < most;)
        {
            int step = Math.Min(Math.Min(end - start, bytesPerStep), most - sent);
            await context.Response.Body.WriteAsync(content.AsMemory(start, step));
            await context.Response.Body.FlushAsync();
            start += step;
            sent += step;
            if (pause > TimeSpan.Zero) await Task.Delay(pause);
        }

        if (start < end) context.Abort();
    }

    public string Listing() => JsonSerializer.Serialize(new
    {
        id = Name,
        sha = Commit,
        siblings = Files.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => Sibling(f.Key, f.Value)).ToArray(),
    });

    private Dictionary<string, object> Sibling(string path, byte[] content)
    {
        Dictionary<string, object> sibling = new() { ["rfilename"] = path };
        if (!ListingHasBlobs) return sibling;
        sibling["size"] = content.Length;
        sibling["blobId"] = GitHash(content);
        if (content.Length >= LargeFrom) sibling["lfs"] = new { sha256 = Sha256(content), size = content.Length, pointerSize = 130 };
        return sibling;
    }

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static string GitHash(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
}
