using System.Net;
using System.Net.Http.Headers;

namespace SkMmBert;

/// <summary>Speaks HTTP with the hub: tokens, redirects, repeats, and words for refusals.</summary>
internal sealed class HubClient : IDisposable
{
    private const int MaxRedirects = 10;
    private const int MaxListingBytes = 32 << 20;
    private const string RetryAfter = "Retry-After";

    private readonly HubOptions _options;
    private readonly HttpClient _http;

    public HubClient(HubOptions options)
    {
        _options = options;
        HttpMessageHandler handler = options.Handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            Proxy = options.Proxy,
            UseProxy = true,
            ConnectTimeout = options.StallTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        _http = new HttpClient(handler, disposeHandler: options.Handler is null) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxListingBytes };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("SkMmBert", typeof(HubClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
    }

    public void Dispose() => _http.Dispose();

    public Task<ModelListing> ListAsync(ModelReference model, CancellationToken cancellationToken)
    {
        Uri address = Address($"api/models/{model.Repository}/revision/{Uri.EscapeDataString(model.Revision)}?blobs=true");
        return RepeatAsync(async stall =>
        {
            using HttpResponseMessage response = await SendAsync(HttpMethod.Get, address, null, Subject(model), stall.Token).ConfigureAwait(false);
            return ModelListing.Parse(model.Repository, await ReadAsync(() => response.Content.ReadAsByteArrayAsync(stall.Token), address).ConfigureAwait(false));
        }, null, null, cancellationToken);
    }

    /// <summary>Asks for size and hash of a file, for hubs whose listing leaves them out.</summary>
    public Task<RemoteFile> DescribeAsync(ModelListing listing, RemoteFile file, CancellationToken cancellationToken) => RepeatAsync(async stall =>
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Head, FileAddress(listing, file), null, $"'{file.Path}' of '{listing.Repository}'", stall.Token).ConfigureAwait(false);
        string? Header(string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;
        string? hash = (Header("X-Linked-Etag") ?? response.Headers.ETag?.Tag)?.Trim('"');
        long size = long.TryParse(Header("X-Linked-Size"), out long linked) ? linked : response.Content.Headers.ContentLength ?? -1;
        return new RemoteFile(file.Path, size, hash);
    }, null, null, cancellationToken);

    /// <summary>Opens a file, or a range of it, at a commit. The body is not read yet.</summary>
    public Task<HttpResponseMessage> OpenAsync(ModelListing listing, RemoteFile file, RangeHeaderValue? range, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, FileAddress(listing, file), range, $"'{file.Path}' of '{listing.Repository}'", cancellationToken);

    /// <summary>Runs an attempt until it succeeds, is refused for good, or has failed too often without moving on.</summary>
    public async Task<T> RepeatAsync<T>(Func<StallTimer, Task<T>> attempt, Func<long>? position, Action? onRetry, CancellationToken cancellationToken)
    {
        long reached = position?.Invoke() ?? 0;
        for (int failures = 0; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using StallTimer stall = new(_options.StallTimeout, _options.TimeProvider, cancellationToken);
            HttpRequestException failure;
            try
            {
                return await attempt(stall).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && stall.HasStalled)
            {
                failure = new HttpRequestException($"no byte came from {_options.Endpoint.Host} for {_options.StallTimeout.TotalSeconds:0} s");
            }
            catch (HttpRequestException e) when (IsTransient(e))
            {
                failure = e;
            }

            long now = position?.Invoke() ?? 0;
            failures = now > reached ? 1 : failures + 1;
            reached = now;
            TimeSpan delay = TimeSpan.FromTicks(Math.Min(_options.MaxRetryDelay.Ticks, _options.RetryDelay.Ticks << Math.Min(failures - 1, 20)));
            TimeSpan? asked = failure.Data[RetryAfter] as TimeSpan?;
            if (asked > _options.MaxRetryDelay)
                throw new HttpRequestException($"{failure.Message} It asks to come back in {asked.Value.TotalSeconds:0} s; run the pull again then, what has arrived is kept.", failure, failure.StatusCode);
            if (failures > _options.Retries)
                throw new HttpRequestException($"Gave up after {failures} attempts: {failure.Message.TrimEnd('.')}. Check the network or HF_ENDPOINT and run the pull again; what has arrived is kept.", failure, failure.StatusCode);
            onRetry?.Invoke();
            await Task.Delay(asked > delay ? asked.Value : delay, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads from the network, so that its failures are told from those of the disk.</summary>
    public static async ValueTask<T> ReadAsync<T>(Func<Task<T>> read, Uri address)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new HttpRequestException($"The connection to {address.Host} dropped: {e.Message}", e);
        }
    }

    private static bool IsTransient(HttpRequestException e) => e.StatusCode is null
        ? e.HttpRequestError is not (HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded)
        : e.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private static string Subject(ModelReference model) => model.Revision == ModelReference.DefaultRevision ? $"'{model.Repository}'" : $"'{model.Repository}' at revision '{model.Revision}'";

    private Uri Address(string path) => new(_options.Endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);

    private Uri FileAddress(ModelListing listing, RemoteFile file) =>
        Address($"{listing.Repository}/resolve/{listing.Commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, RangeHeaderValue? range, string subject, CancellationToken cancellationToken)
    {
        for (int redirects = 0; ; redirects++)
        {
            using HttpRequestMessage request = new(method, address);
            request.Headers.Range = range;
            // The token is the hub's alone: a redirect to a file store, or from https to http, must not see it.
            if (_options.Token is { } token && IsHub(address)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location)
            {
                Uri target = new(address, location);
                // The hub itself names size and hash of a stored file; the store need not be asked.
                if (method == HttpMethod.Head && response.Headers.Contains("X-Linked-Etag")) return response;
                response.Dispose();
                if (target.Scheme is not ("http" or "https") || (address.Scheme == "https" && target.Scheme == "http"))
                    throw new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded, $"{address.Host} redirects {subject} to the unsafe address {target.Scheme}://{target.Host}. Expected https; check HF_ENDPOINT and the proxy.");
                if (redirects == MaxRedirects)
                    throw new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded, $"{subject} was redirected more than {MaxRedirects} times, last to {target.Host}. Check HF_ENDPOINT and the proxy.");
                address = target;
                continue;
            }

            if (response.IsSuccessStatusCode) return response;
            using (response) throw Refusal(response, address, subject);
        }
    }

    private bool IsHub(Uri address) => Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private HttpRequestException Refusal(HttpResponseMessage response, Uri address, string subject)
    {
        string? code = response.Headers.TryGetValues("X-Error-Code", out IEnumerable<string>? values) ? values.First() : null;
        int status = (int)response.StatusCode;
        string host = address.Host;
        string message = (status, code) switch
        {
            (401 or 403, "GatedRepo") when _options.Token is null =>
                $"{subject} is gated (HTTP {status}): accept its terms on its page at {_options.Endpoint.Host}, then give an access token of that account in HF_TOKEN.",
            (401 or 403, "GatedRepo") => $"{subject} is gated and the token given has no access to it (HTTP {status}): accept its terms on its page at {_options.Endpoint.Host} with the account of the token.",
            (401, _) => $"{subject} does not exist at {host}, or is private and {(_options.Token is null ? "no token was given" : "the token given may not read it")} (HTTP 401). Check the name; for a private model give a token in HF_TOKEN.",
            (403, _) => $"{host} refuses {subject} (HTTP 403). Check that the token may read it.",
            (404, "RevisionNotFound") => $"{subject} does not exist at {host}: the repository has no such revision (HTTP 404). Check the part after '@'.",
            (404, "EntryNotFound") => $"{subject} is missing at {host} (HTTP 404). The repository may just have changed; run the pull again.",
            (404, _) => $"{subject} does not exist at {host} (HTTP 404). Check the name; expected owner/name[@revision].",
            (429, _) => $"{host} has had too many requests (HTTP 429) for {subject}; a token in HF_TOKEN raises the limit.",
            _ => $"{host} answered HTTP {status} for {subject}.",
        };
        HttpRequestException refusal = new(message, null, response.StatusCode);
        if (response.Headers.RetryAfter is { } after)
            refusal.Data[RetryAfter] = after.Delta ?? (after.Date is { } date ? date - _options.TimeProvider.GetUtcNow() : TimeSpan.Zero);
        return refusal;
    }
}
