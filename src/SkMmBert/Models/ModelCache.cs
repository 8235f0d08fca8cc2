using System.Security.Cryptography;
using System.Text;

namespace SkMmBert;

/// <summary>Finds or writes the graphs of a model folder in the cache.</summary>
/// <remarks>
/// A cache folder is written under a temporary name and renamed when complete, so that a crash, a full disk or a second process never leaves half of one;
/// one that was damaged afterwards is noticed by its manifest and written again.
/// Folders are named by the content of the model's files; the hash of a weights file is remembered with its size and time, so that it is read once.
/// </remarks>
internal sealed class ModelCache(string root)
{
    // Raise when a graph or the layout of the weights file changes.
    private const string FormatVersion = "4";

    private const string LockSuffix = ".lock";

    private static readonly TimeSpan Abandoned = TimeSpan.FromMinutes(10);

    /// <summary>The default place: the user's local application data folder, else the temporary folder.</summary>
    public static string DefaultRoot()
    {
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "skmmbert", "graphs");
    }

    /// <summary>The hash of each file's content by name; that of an unchanged file is not computed again.</summary>
    public Dictionary<string, string> Hashes(string folder, IEnumerable<string> files)
        => files.ToDictionary(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), FileHash, StringComparer.Ordinal);

    /// <summary>One hash over those of several files.</summary>
    public static string ContentHash(IReadOnlyDictionary<string, string> hashes)
        => Hash(string.Concat(hashes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}\n")));

    /// <summary>The graphs of a model, written first if they are not there.</summary>
    public GraphFolder Graphs(ModelManifest model, IReadOnlyDictionary<string, string> hashes, EncoderConfig config, ModelPrecision precision, AttentionForm form, int[] stops, SafetensorsFolder weights, IProgress<double>? progress)
    {
        string name = Hash($"{FormatVersion} {ContentHash(hashes)} {precision} {form} {EncoderSession.Target}")[..24];
        string folder = Path.Combine(root, name);
        if (!CacheManifest.IsWhole(folder))
        {
            Publish(folder, temporary =>
            {
                GraphFolder graphs = new(temporary, config, precision, form);
                graphs.WriteWeights(weights, progress);
                for (int i = 0; i < stops.Length; i++)
                {
                    graphs.Stretch(i == 0 ? 0 : stops[i - 1], stops[i], EncoderSession.Prepare);
                }

                CacheManifest.Write(temporary, model, precision, hashes);
            });
        }

        RemoveAbandonedGraphs(folder);
        return new GraphFolder(folder, config, precision, form);
    }

    private void Publish(string folder, Action<string> write)
    {
        string temporary = $"{folder}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(root);
            RemoveAbandoned();
            using FileStream writing = new(temporary + LockSuffix, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            Directory.CreateDirectory(temporary);
            write(temporary);
            Place(temporary, folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
        {
            // The last is what a stream says of a length the file system cannot hold.
            TryDelete(temporary);
            throw new IOException($"'{root}' cannot take the graphs of the model ({ExecutionDevice.OneLine(error)}). Expected: a folder that can be written and has room; free some space there, or set ModelOptions.CacheFolder to another.", error);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    private static void Place(string temporary, string folder)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                if (Directory.Exists(folder) && !CacheManifest.IsWhole(folder))
                {
                    // Damaged: out of the way first, since a folder cannot be renamed onto another.
                    string damaged = $"{folder}.{Guid.NewGuid():N}.tmp";
                    Directory.Move(folder, damaged);
                    TryDelete(damaged);
                }

                Directory.Move(temporary, folder);
                return;
            }
            catch (IOException) when (CacheManifest.IsWhole(folder))
            {
                // Another process finished the same folder first: its graphs are as good.
                TryDelete(temporary);
                return;
            }
            catch (IOException) when (attempt < 2 && Directory.Exists(temporary))
            {
                // Another process moved the damaged folder between the look and the move.
            }
        }
    }

    // A writer holds the lock beside its folder; where it can be taken, the writer is gone. The age spares writers on file systems without locks.
    private void RemoveAbandoned()
    {
        IEnumerable<string> folders = Directory.EnumerateDirectories(root, "*.tmp").Where(IsOld);
        IEnumerable<string> locks = Directory.EnumerateFiles(root, "*.tmp.lock").Where(IsOld).Select(file => file[..^LockSuffix.Length]);
        foreach (string abandoned in folders.Union(locks).ToArray())
        {
            try
            {
                using FileStream taken = new(abandoned + LockSuffix, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
                TryDelete(abandoned);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Still being written, or not ours to remove.
            }
        }
    }

    // What a process left that died while it wrote the graph of one more exit.
    private static void RemoveAbandonedGraphs(string folder)
    {
        foreach (string abandoned in Directory.EnumerateFileSystemEntries(folder, "*.tmp*").Where(IsOld))
        {
            TryDelete(abandoned);
        }
    }

    private static bool IsOld(string path) => File.GetLastWriteTimeUtc(path) < TimeProvider.System.GetUtcNow().UtcDateTime - Abandoned;

    private static void TryDelete(string path)
    {
        try
        {
            if (File.Exists(path))
            {
                File.Delete(path);
            }
            else if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What cannot be removed now is removed by a later opening.
        }
    }

    private string FileHash(string file)
    {
        FileInfo info = new(file);
        string memo = Path.Combine(root, "hashes", Hash($"{info.FullName} {info.Length} {info.LastWriteTimeUtc.Ticks}")[..24]);
        if (File.Exists(memo) && File.ReadAllText(memo) is { Length: 64 } known)
        {
            return known;
        }

        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(memo)!);
            AtomicFile.Write(memo, to => to.Write(Encoding.ASCII.GetBytes(hash)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Without the memo the next opening hashes again; nothing is wrong with the model.
        }

        return hash;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
