using System.Security.Cryptography;
using System.Text;

namespace SkMmBert;

/// <summary>Finds or writes the graphs of a model folder in the cache.</summary>
/// <remarks>
/// A cache folder is written under a temporary name and renamed when complete, so that a crash, a full disk or a second process never leaves half of one.
/// Folders are named by the content of the model's files; the hash of a weights file is remembered with its size and time, so that it is read once.
/// </remarks>
internal sealed class ModelCache(string root)
{
    // Raise when a graph or the layout of the weights file changes.
    private const string FormatVersion = "1";

    /// <summary>The default place: the user's local application data folder, else the temporary folder.</summary>
    public static string DefaultRoot()
    {
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "skmmbert", "graphs");
    }

    /// <summary>A hash over the content of files; that of an unchanged file is not computed again.</summary>
    public string ContentHash(IEnumerable<string> files)
    {
        StringBuilder all = new();
        foreach (string file in files)
        {
            all.Append(Path.GetFileName(file)).Append(' ').Append(FileHash(file)).Append('\n');
        }

        return Hash(all.ToString());
    }

    /// <summary>The graphs of a model, written first if they are not there.</summary>
    public GraphFolder Graphs(string contentHash, EncoderConfig config, ModelPrecision precision, int[] stops, SafetensorsFolder weights, IProgress<double>? progress)
    {
        string name = Hash($"{FormatVersion} {contentHash} {precision} {EncoderSession.Target}")[..24];
        string folder = Path.Combine(root, name);
        if (!Directory.Exists(folder))
        {
            Publish(folder, config, precision, stops, weights, progress);
        }

        return new GraphFolder(folder, config, precision);
    }

    private void Publish(string folder, EncoderConfig config, ModelPrecision precision, int[] stops, SafetensorsFolder weights, IProgress<double>? progress)
    {
        string temporary = $"{folder}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(root);
            RemoveAbandoned();
            Directory.CreateDirectory(temporary);
            using (FileStream held = new(Path.Combine(temporary, "writing"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
                GraphFolder graphs = new(temporary, config, precision);
                graphs.WriteWeights(weights, progress);
                for (int i = 0; i < stops.Length; i++)
                {
                    graphs.Stretch(i == 0 ? 0 : stops[i - 1], stops[i], EncoderSession.Prepare);
                }
            }

            Directory.Move(temporary, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another process finished the same folder first: its graphs are as good.
            Directory.Delete(temporary, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new IOException($"'{root}' cannot take the graphs of the model ({error.Message}). Free some space there, or set ModelOptions.CacheFolder to a folder that can be written.", error);
        }
    }

    // A writer holds its folder's 'writing' file open; where it can be taken, the writer is gone.
    private void RemoveAbandoned()
    {
        foreach (string abandoned in Directory.EnumerateDirectories(root, "*.tmp"))
        {
            try
            {
                if (DateTime.UtcNow - Directory.GetCreationTimeUtc(abandoned) > TimeSpan.FromMinutes(1))
                {
                    using FileStream taken = new(Path.Combine(abandoned, "writing"), FileMode.Open, FileAccess.Write, FileShare.None);
                }
                else
                {
                    continue;
                }
            }
            catch (FileNotFoundException)
            {
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            TryDelete(abandoned);
        }
    }

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
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
