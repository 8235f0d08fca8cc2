namespace SkMmBert;

/// <summary>One repository's folder in the standard cache: blobs by hash, snapshots of links by commit, refs from names to commits.</summary>
internal sealed class HubCache(string root, string repository)
{
    private const string Prefix = "models--";

    private readonly string _folder = Path.Combine(root, Prefix + repository.Replace("/", "--", StringComparison.Ordinal));
    private readonly string _locks = Path.Combine(root, ".locks", Prefix + repository.Replace("/", "--", StringComparison.Ordinal));

    public string Blobs => Path.Combine(_folder, "blobs");

    /// <summary>The repositories that have a folder in a cache, by name.</summary>
    public static IEnumerable<string> Repositories(string root) => !Directory.Exists(root)
        ? []
        : Directory.EnumerateDirectories(root, Prefix + "*").Select(folder => Path.GetFileName(folder)[Prefix.Length..].Replace("--", "/", StringComparison.Ordinal))
            .Where(name => name.Contains('/')).Order(StringComparer.Ordinal);

    public string Snapshot(string commit) => Path.Combine(_folder, "snapshots", commit);

    public IEnumerable<string> Commits()
    {
        string snapshots = Path.Combine(_folder, "snapshots");
        return Directory.Exists(snapshots) ? Directory.EnumerateDirectories(snapshots).Select(f => Path.GetFileName(f)!).Where(ModelReference.IsCommitId).Order(StringComparer.Ordinal) : [];
    }

    /// <summary>The commit a branch or tag meant when it was downloaded; <see langword="null"/> when it never was.</summary>
    public string? ReadRef(string revision)
    {
        string file = Path.Combine(_folder, "refs", revision);
        return File.Exists(file) && File.ReadAllText(file).Trim() is var commit && ModelReference.IsCommitId(commit) ? commit : null;
    }

    public void WriteRef(string revision, string commit)
    {
        string file = Path.Combine(_folder, "refs", revision);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        string draft = $"{file}.{Guid.NewGuid():N}";
        File.WriteAllText(draft, commit);
        File.Move(draft, file, overwrite: true);
    }

    /// <summary>Waits until no other process or task downloads the same blob. The lock files are those of the other Hugging Face tools.</summary>
    public async Task<IDisposable> LockAsync(string hash, TimeProvider clock, Action onWait, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_locks);
        string file = Path.Combine(_locks, hash + ".lock");
        for (bool waited = false; ; waited = true)
        {
            try
            {
                // Exclusive on every system; it goes with the process, however that ends. The file stays: deleting it would let two in.
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException) when (File.Exists(file))
            {
                if (!waited) onWait();
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes the snapshot of a commit appear at once with all its files, or adds what an older one lacks.</summary>
    public void Publish(string commit, IReadOnlyList<RemoteFile> files, bool symbolicLinks)
    {
        string snapshot = Snapshot(commit), draft = Path.Combine(_folder, $".draft-{Guid.NewGuid():N}");
        try
        {
            foreach (RemoteFile file in files)
            {
                if (Has(snapshot, file.Path, file.Size)) continue;
                string entry = Path.Combine(draft, file.Path), blob = Path.Combine(Blobs, file.CheckedHash);
                Directory.CreateDirectory(Path.GetDirectoryName(entry)!);
                // Relative to the snapshot, so that the cache can be moved: snapshots/COMMIT/… → ../../blobs/HASH
                string up = string.Concat(Enumerable.Repeat("../", 2 + file.Path.Count(c => c == '/')));
                if (!symbolicLinks || !TryLink(entry, up + "blobs/" + file.CheckedHash)) File.Copy(blob, entry);
            }

            if (!Directory.Exists(draft)) return;
            Directory.CreateDirectory(Path.GetDirectoryName(snapshot)!);
            if (!Directory.Exists(snapshot))
            {
                try
                {
                    Directory.Move(draft, snapshot);
                    return;
                }
                catch (IOException) when (Directory.Exists(snapshot))
                {
                    // Another process was first; its snapshot is completed below.
                }
            }

            foreach (string entry in Directory.EnumerateFiles(draft, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(snapshot, Path.GetRelativePath(draft, entry));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(entry, target, overwrite: true);
            }
        }
        finally
        {
            if (Directory.Exists(draft)) Directory.Delete(draft, recursive: true);
        }
    }

    /// <summary>Whether a folder has a file, itself or through a link, of a size (any size without one).</summary>
    public static bool Has(string folder, string name, long? size = null) => new FileInfo(Path.Combine(folder, name)) is { Exists: true } file
        && ((FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file) is { Exists: true } real && (size ?? real.Length) == real.Length;

    private static bool TryLink(string entry, string target)
    {
        try
        {
            File.CreateSymbolicLink(entry, target.Replace('/', Path.DirectorySeparatorChar));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }
    }
}
