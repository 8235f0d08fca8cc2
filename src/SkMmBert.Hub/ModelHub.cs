using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace SkMmBert;

/// <summary>Finds and downloads model folders, in the cache that all Hugging Face tools share.</summary>
/// <remarks>
/// <para>A pull asks the hub once what a revision holds, then fetches only the files a model needs and lacks: several at a time, in ranges,
/// going on where an earlier attempt stopped, checked by hash, and visible under their names only when all are there.</para>
/// <para>Thread-safe; several processes may pull at once and share the work. Disposing closes the connections.</para>
/// </remarks>
/// <example><code>
/// using ModelHub hub = new(HubOptions.FromEnvironment());
/// DownloadedModel model = await hub.PullAsync("mmbert-embed");
/// using MmBertModel embed = MmBertModel.Open(model.Folder);
/// // model.License → apache-2.0
/// </code></example>
public sealed class ModelHub : IDisposable
{
    private readonly HubOptions _options;
    private readonly HubClient _client;

    /// <summary>Makes a hub; nothing is read or sent yet.</summary>
    /// <param name="options">Cache, endpoint, token and patience; <see langword="null"/> for the defaults, which do not look at the environment.</param>
    public ModelHub(HubOptions? options = null)
    {
        _options = options ?? new HubOptions();
        _options.Validate();
        _client = new HubClient(_options);
    }

    /// <summary>Downloads a model, or completes and returns what is there.</summary>
    /// <remarks>Can be repeated after any failure: what has arrived is kept. Without a network, or with <see cref="HubOptions.Offline"/>, use what <see cref="Find"/> finds.</remarks>
    /// <param name="name">A known name, or <c>owner/name</c>; both with an optional <c>@revision</c>.</param>
    /// <param name="options">Which files; <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Told about ten times a second.</param>
    /// <param name="cancellationToken">Stops the download; what has arrived is kept.</param>
    /// <exception cref="HttpRequestException">The hub refuses, lacks it, or cannot be reached; the message says what to do.</exception>
    /// <exception cref="InvalidDataException">The repository holds no such model, or bytes arrived wrong twice.</exception>
    /// <exception cref="IOException">The disk is full or cannot be written.</exception>
    /// <exception cref="DirectoryNotFoundException">Offline, and the model is not there.</exception>
    public async Task<DownloadedModel> PullAsync(string name, PullOptions? options = null, IProgress<PullProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ModelReference model = ModelReference.Parse(name);
        if (_options.Offline) return Find(name);
        ModelListing listing = await _client.ListAsync(model, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RemoteFile> files = await DescribeAsync(listing, FileSelection.Choose(listing, (options ?? new PullOptions()).Weights), cancellationToken).ConfigureAwait(false);
        HubCache cache = new(_options.CacheFolder, model.Repository);
        Directory.CreateDirectory(cache.Blobs);
        PullMeter meter = new(files.Sum(f => f.Size), _options.TimeProvider, progress);
        using SemaphoreSlim connections = new(_options.Parallelism);
        BlobDownload Download(RemoteFile file) => new(_client, _options, connections, listing, file, Path.Combine(cache.Blobs, file.CheckedHash), meter);

        string snapshot = cache.Snapshot(listing.Commit);
        // The same bytes under two names are one blob.
        RemoteFile[] wanted = [.. files.Where(f => !HubCache.Has(snapshot, f.Path, f.Size) && !HubCache.Has(cache.Blobs, f.CheckedHash, f.Size)).DistinctBy(f => f.CheckedHash)];
        long needed = wanted.Sum(f => f.Size - Download(f).Kept()), free = _options.FreeSpace(cache.Blobs);
        if (needed > free) throw BlobDownload.DiskFull(snapshot, needed, free, null);
        foreach (RemoteFile file in files.Except(wanted)) meter.Found(file.Path, file.Size);

        ParallelOptions parallel = new() { MaxDegreeOfParallelism = _options.Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(wanted, parallel, async (file, stop) =>
        {
            using IDisposable mine = await cache.LockAsync(file.CheckedHash, _options.TimeProvider, () => meter.Tell(file.Path, PullState.Waiting), stop).ConfigureAwait(false);
            if (HubCache.Has(cache.Blobs, file.CheckedHash, file.Size)) meter.Found(file.Path, file.Size);
            else await Download(file).RunAsync(stop).ConfigureAwait(false);
        }).ConfigureAwait(false);

        cache.Publish(listing.Commit, files, _options.UseSymbolicLinks);
        if (!model.IsCommit) cache.WriteRef(model.Revision, listing.Commit);
        if (FileSelection.Missing(snapshot) is { } missing)
            throw new InvalidDataException($"'{model.Repository}' at {listing.Commit[..8]} has no {missing}, which its other files name. Expected a complete model; report it to its publisher.");
        meter.Tell(files[^1].Path, PullState.Done);
        return Describe(model.Repository, listing.Commit, snapshot);
    }

    /// <summary>Finds a model that is already downloaded, by this or any other Hugging Face tool. Reads the disk only.</summary>
    /// <remarks>Without a revision a known model's pinned commit is looked for first, then whatever <c>main</c> was when it was downloaded.</remarks>
    /// <param name="name">A known name, or <c>owner/name</c>; both with an optional <c>@revision</c>.</param>
    /// <exception cref="DirectoryNotFoundException">It is not there, or not complete; the message says what is missing.</exception>
    public DownloadedModel Find(string name) => Search(name, out string why) ?? throw new DirectoryNotFoundException(
        $"'{name}' is not in '{_options.CacheFolder}': {why}. {(_options.Offline ? "The hub is offline (HF_HUB_OFFLINE); go online and pull it, or copy the cache from another machine." : $"Run 'skmmbert pull {name}'.")}");

    /// <summary>Finds a model that is already downloaded, if it is.</summary>
    /// <param name="name">A known name, or <c>owner/name</c>; both with an optional <c>@revision</c>.</param>
    /// <param name="model">The model, when there is one.</param>
    public bool TryFind(string name, [NotNullWhen(true)] out DownloadedModel? model) => (model = Search(name, out _)) is not null;

    /// <summary>All complete text encoders in the cache, by name and commit. Reads the disk only.</summary>
    public IReadOnlyList<DownloadedModel> List()
    {
        List<DownloadedModel> models = [];
        foreach (string repository in HubCache.Repositories(_options.CacheFolder))
        {
            HubCache cache = new(_options.CacheFolder, repository);
            models.AddRange(cache.Commits().Select(commit => (Commit: commit, Folder: cache.Snapshot(commit)))
                .Where(s => FileSelection.Missing(s.Folder) is null && IsTextEncoder(s.Folder)).Select(s => Describe(repository, s.Commit, s.Folder)));
        }

        return models;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private DownloadedModel? Search(string name, out string why)
    {
        ModelReference model = ModelReference.Parse(name);
        HubCache cache = new(_options.CacheFolder, model.Repository);
        why = "no such revision was downloaded";
        string[] revisions = model.RevisionIsGiven || model.Revision == ModelReference.DefaultRevision ? [model.Revision] : [model.Revision, ModelReference.DefaultRevision];
        foreach (string revision in revisions)
        {
            string? commit = ModelReference.IsCommitId(revision) ? revision : cache.ReadRef(revision);
            if (commit is null || !Directory.Exists(cache.Snapshot(commit))) continue;
            string folder = cache.Snapshot(commit);
            if (FileSelection.Missing(folder) is not { } missing) return Describe(model.Repository, commit, folder);
            why = $"its download is incomplete, {missing} is missing";
        }

        return null;
    }

    // A listing that leaves out sizes and hashes costs one more request a file.
    private async Task<IReadOnlyList<RemoteFile>> DescribeAsync(ModelListing listing, IReadOnlyList<RemoteFile> files, CancellationToken cancellationToken)
    {
        RemoteFile[] described = [.. files];
        for (int i = 0; i < described.Length; i++)
        {
            if (!described[i].IsDescribed) described[i] = await _client.DescribeAsync(listing, described[i], cancellationToken).ConfigureAwait(false);
            if (described[i].Size < 0 || described[i].CheckedHash.Length == 0)
                throw new InvalidDataException($"The hub tells no size of '{described[i].Path}'. Expected one in its listing or headers; check HF_ENDPOINT.");
        }

        return described;
    }

    private static bool IsTextEncoder(string folder)
    {
        try
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
            return config.RootElement.TryGetProperty("model_type", out JsonElement type) && type.GetString() is "modernbert" or "bert";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static DownloadedModel Describe(string repository, string commit, string folder)
    {
        long bytes = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => ((FileInfo?)f.ResolveLinkTarget(true) ?? f).Length);
        return new DownloadedModel(repository, commit, Path.GetFullPath(folder), bytes, ModelCard.ReadLicense(folder));
    }
}
