using System.Net;
using System.Text;

namespace SkMmBert;

/// <summary>Where models come from, where they are kept, and how patiently they are fetched.</summary>
public sealed record HubOptions
{
    /// <summary>Folder of the Hugging Face cache: <c>models--owner--name</c> folders lie in it.</summary>
    /// <value>The default is <c>.cache/huggingface/hub</c> in the user's home folder, shared with all Hugging Face tools.</value>
    public string CacheFolder { get; init; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "huggingface", "hub");

    /// <summary>The hub, or a mirror of it.</summary>
    /// <value>The default is <c>https://huggingface.co</c>.</value>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>Access token for gated and private models. Sent to <see cref="Endpoint"/> only, never to a host it redirects to.</summary>
    /// <value>The default is <see langword="null"/>: anonymous.</value>
    public string? Token { get; init; }

    /// <summary>Whether only what is already downloaded may be used.</summary>
    /// <value>The default is <see langword="false"/>.</value>
    public bool Offline { get; init; }

    /// <summary>Proxy for all requests. Not used when <see cref="Handler"/> is given.</summary>
    /// <value>The default is <see langword="null"/>: the system's.</value>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Sends the requests; it should not follow redirects itself. Not disposed by the hub.</summary>
    /// <value>The default is <see langword="null"/>: a <see cref="SocketsHttpHandler"/> with <see cref="Proxy"/>.</value>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Requests in flight at once, over all files.</summary>
    /// <value>The default is 4.</value>
    public int Parallelism { get; init; } = 4;

    /// <summary>Bytes asked for in one request; larger files are fetched in ranges of this size.</summary>
    /// <value>The default is 16 MiB.</value>
    public int RangeBytes { get; init; } = 16 << 20;

    /// <summary>How often a failed request is repeated before giving up. A range that moved on starts counting again.</summary>
    /// <value>The default is 5.</value>
    public int Retries { get; init; } = 5;

    /// <summary>Wait before the first repeat; doubled for each further one. A server's <c>Retry-After</c> wins when it is longer.</summary>
    /// <value>The default is one second.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait before a repeat; a server that asks for more is an error that says when to come back.</summary>
    /// <value>The default is two minutes.</value>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Time without one byte after which a request counts as dropped.</summary>
    /// <value>The default is 30 seconds.</value>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a snapshot links to the stored files; where the system forbids links (Windows without developer mode) files are copied anyway.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool UseSymbolicLinks { get; init; } = true;

    /// <summary>The clock of waits and speeds.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Free bytes on the disk of a folder.</summary>
    internal Func<string, long> FreeSpace { get; init; } = static folder => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Reads the variables that Hugging Face tools read: <c>HF_HUB_CACHE</c>, <c>HF_HOME</c>, <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c>
    /// (or the token file of <c>hf auth login</c>) and <c>HF_HUB_OFFLINE</c>.</summary>
    /// <remarks>The only place where this package looks at the environment.</remarks>
    /// <param name="read">Gives a variable's value; <see langword="null"/> for the process environment.</param>
    /// <exception cref="InvalidDataException"><c>HF_ENDPOINT</c> is not an http or https address.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? read = null)
    {
        read ??= Environment.GetEnvironmentVariable;
        string? Value(string name) => read(name) is { } text && text.Trim().Length > 0 ? text.Trim() : null;
        string profile = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string Expand(string path) => path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Path.Join(profile, path[1..]) : path;

        string home = Expand(Value("HF_HOME") ?? Path.Combine(Value("XDG_CACHE_HOME") ?? Path.Combine(profile, ".cache"), "huggingface"));
        string tokenFile = Expand(Value("HF_TOKEN_PATH") ?? Path.Combine(home, "token"));
        string? token = Value("HF_TOKEN") ?? (File.Exists(tokenFile) ? File.ReadAllText(tokenFile).Trim() : null);
        Uri endpoint = new HubOptions().Endpoint;
        if (Value("HF_ENDPOINT") is { } address
            && !(Uri.TryCreate(address.TrimEnd('/'), UriKind.Absolute, out endpoint!) && endpoint.Scheme is "http" or "https"))
            throw new InvalidDataException($"HF_ENDPOINT is '{address}'. Expected an address such as https://huggingface.co; correct or unset it.");
        return new HubOptions
        {
            CacheFolder = Path.GetFullPath(Expand(Value("HF_HUB_CACHE") ?? Path.Combine(home, "hub"))),
            Endpoint = endpoint,
            Token = string.IsNullOrEmpty(token) ? null : token,
            Offline = Value("HF_HUB_OFFLINE")?.ToUpperInvariant() is "1" or "TRUE" or "YES" or "ON",
            UseSymbolicLinks = Value("HF_HUB_DISABLE_SYMLINKS")?.ToUpperInvariant() is not ("1" or "TRUE" or "YES" or "ON"),
        };
    }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(CacheFolder);
        if (!Endpoint.IsAbsoluteUri || Endpoint.Scheme is not ("http" or "https"))
            throw new ArgumentException($"Endpoint is '{Endpoint}'. Expected an http or https address.", nameof(Endpoint));
        ArgumentOutOfRangeException.ThrowIfLessThan(Parallelism, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RangeBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Retries);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryDelay, RetryDelay);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
    }

    // The token must not reach a log through ToString.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append($"CacheFolder = {CacheFolder}, Endpoint = {Endpoint}, Token = {(Token is null ? "none" : "given")}, Offline = {Offline}, Parallelism = {Parallelism}");
        return true;
    }
}
