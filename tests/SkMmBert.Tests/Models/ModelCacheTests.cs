using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The cache of written graphs when processes race, die or meet a full, closed or damaged disk.</summary>
public sealed class ModelCacheTests : IDisposable
{
    private readonly TemporaryFolder _cache = new();

    private ModelOptions Options => new() { CacheFolder = _cache.Path };

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task Open_FreshProcessesWithAWarmCache_OpenStretchesSideBySide()
    {
        string first = await OtherProcess.EndAsync(OtherProcess.Open(Paths.MiniEmbed, _cache.Path));
        Assert.StartsWith("ok ", first, StringComparison.Ordinal);
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(first, await OtherProcess.EndAsync(OtherProcess.Open(Paths.MiniEmbed, _cache.Path)));   // nothing in such a process has told the runtime of our operators before
        }
    }

    [Fact]
    public async Task Open_ProcessesAndThreadsAtOnce_AllGetTheSameGraphs()
    {
        Process[] processes = [.. Enumerable.Range(0, 2).Select(_ => OtherProcess.Open(ModelFolders.Tiny, _cache.Path))];
        float[] here = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(First)));
        string[] said = await Task.WhenAll(processes.Select(OtherProcess.EndAsync));
        Assert.All(said, line => Assert.Equal($"ok {here[0]:R}", line));
        Assert.Equal(here[0], here[1]);
        AssertOneWholeFolder();
    }

    [Fact]
    public async Task Open_WriterWasKilled_NothingHalfIsUsedAndTheRestIsRemovedLater()
    {
        Assert.Equal("", await OtherProcess.EndAsync(OtherProcess.Open(ModelFolders.Tiny, _cache.Path, killAt: 0.5)));
        string left = Assert.Single(Directory.GetDirectories(_cache.Path, "*.tmp"));
        Assert.False(File.Exists(Path.Combine(left, CacheManifest.FileName)));
        First();
        Assert.True(Directory.Exists(left), "a folder as young as that may still be written");
        SetAge(left);
        MmBertModel.Open(ModelFolders.TinyBert, Options).Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_cache.Path, "*.tmp*"));
    }

    [Fact]
    public void Open_OldFolderOfALivingWriter_IsSpared()
    {
        string folder = _cache.File("abc.1.tmp");
        Directory.CreateDirectory(folder);
        using (new FileStream(folder + ".lock", FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            SetAge(folder);
            First();
            Assert.True(Directory.Exists(folder));
        }
    }

    [Fact]
    public async Task Open_FilesCannotGrow_OneLineAndNothingLeft()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no limit on the file sizes of a process.");
        string said = await OtherProcess.EndAsync(OtherProcess.Open(ModelFolders.Tiny, _cache.Path, before: "trap '' XFSZ; ulimit -f 100"));
        Assert.StartsWith($"IOException: '{_cache.Path}' cannot take the graphs", said);
        Assert.Contains("CacheFolder", said);
        Assert.DoesNotContain('\n', said);
        Assert.Equal(["hashes"], Directory.GetFileSystemEntries(_cache.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Run_GraphOfOneMoreExitCannotBeWritten_OneLineAndTheOthersStayGood()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no limit on the file sizes of a process.");
        float first = First();
        string said = await OtherProcess.EndAsync(OtherProcess.Open(ModelFolders.Tiny, _cache.Path, exit: 3, before: "trap '' XFSZ; ulimit -f 100"));
        Assert.StartsWith($"IOException: The cache of '{ModelFolders.Tiny}' cannot take the graph of layers 0 to 3", said);
        Assert.DoesNotContain('\n', said);
        AssertOneWholeFolder();
        Assert.Equal(first, First());
    }

    [Fact]
    public void Open_CacheIsAFile_OneLineThatSaysWhatToDo()
    {
        string file = _cache.File("graphs");
        File.WriteAllText(file, "in the way");
        string message = Assert.Throws<IOException>(() => MmBertModel.Open(ModelFolders.Tiny, new() { CacheFolder = file })).Message;
        Assert.Contains($"'{file}' cannot take the graphs", message);
        Assert.Contains("ModelOptions.CacheFolder", message);
        Assert.DoesNotContain('\n', message);
        Assert.Equal("in the way", File.ReadAllText(file));
    }

    [Fact]
    public void Open_CacheCannotBeWritten_OneLineThatSaysWhatToDo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a folder that nobody can write, root included: /proc.");
        string message = Assert.Throws<IOException>(() => MmBertModel.Open(ModelFolders.Tiny, new() { CacheFolder = "/proc/skmmbert" })).Message;
        Assert.Contains("'/proc/skmmbert' cannot take the graphs", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_WarmCacheThatCannotBeWritten_Works()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are not Windows'.");
        float first = First();
        SetMode(UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Equal(first, First());
        }
        finally
        {
            SetMode(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void Open_ModelFolderCannotBeWritten_NothingIsWrittenThere()
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        string[] before = Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories);
        foreach (string file in before.Where(File.Exists))
        {
            File.SetAttributes(file, FileAttributes.ReadOnly);
        }

        MmBertModel.Open(folder.Path, Options).Dispose();
        Assert.Equal(before, Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories));
        foreach (string file in before.Where(File.Exists))
        {
            File.SetAttributes(file, FileAttributes.Normal);
        }
    }

    [Fact]
    public void Open_WeightsChanged_NewGraphsAndNewFingerprint()
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        float before = First(folder.Path, out string old);
        using (FileStream weights = File.OpenWrite(folder.File("model.safetensors")))
        {
            weights.Seek(-4 * 5_000, SeekOrigin.End);
            weights.Write(new byte[4 * 5_000]);
        }

        float after = First(folder.Path, out string changed);
        Assert.NotEqual(before, after);
        Assert.NotEqual(old, changed);
        Assert.Equal(2, GraphFolders().Length);
    }

    [Theory]
    [InlineData("weights.bin", 1_000)]
    [InlineData("layers-0-7.onnx.data", 1_000)]
    [InlineData("layers-0-7.onnx", 0)]
    [InlineData("skmmbert.json", 20)]
    [InlineData("layers-0-7.onnx", null)]
    [InlineData("skmmbert.json", null)]
    public void Open_CacheFileCutOrGone_IsNoticedAndWrittenAgain(string file, int? length)
    {
        float first = First();
        string damaged = Path.Combine(Assert.Single(GraphFolders()), file);
        if (length is int size)
        {
            using FileStream stream = File.OpenWrite(damaged);
            stream.SetLength(size);
        }
        else
        {
            File.Delete(damaged);
        }

        Assert.Equal(first, First());
        AssertOneWholeFolder();
    }

    [Fact]
    public void Run_GraphOfOneMoreExitIsCut_SaysWhichFolderToDelete()
    {
        using (MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Options))
        {
            model.Run(TokenBatch.Of([2, 5, 1]), 3, default).Dispose();
        }

        string folder = Assert.Single(GraphFolders());
        using (FileStream stream = File.OpenWrite(Path.Combine(folder, "layers-0-3.onnx.data")))
        {
            stream.SetLength(1_000);
        }

        using MmBertModel again = MmBertModel.Open(ModelFolders.Tiny, Options);
        string message = Assert.Throws<InvalidDataException>(() => again.Run(TokenBatch.Of([2, 5, 1]), 3, default)).Message;
        Assert.Contains($"delete '{folder}'", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_LeftoverOfADeadRun_IsRemoved()
    {
        First();
        string leftover = Path.Combine(Assert.Single(GraphFolders()), "layers-0-3.onnx.1.abc.tmp");
        Directory.CreateDirectory(leftover + ".d");
        File.WriteAllText(leftover, "");
        SetAge(leftover);
        SetAge(leftover + ".d");
        First();
        AssertOneWholeFolder();
    }

    [Fact]
    public void Open_MiniPairAgain_TakesLittleTime()
    {
        foreach (string folder in new[] { Paths.MiniEmbed, Paths.MiniRerank })
        {
            MmBertModel.Open(folder, Goldens.Options).Dispose();
        }

        // Processor time of this thread's work would miss the runtime's; the least of several leaves out what other processes take.
        double least = Enumerable.Range(0, 5).Min(_ =>
        {
            long start = Stopwatch.GetTimestamp();
            MmBertModel.Open(Paths.MiniEmbed, Goldens.Options).Dispose();
            MmBertModel.Open(Paths.MiniRerank, Goldens.Options).Dispose();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{least:0.000} s");
        Assert.True(least < 1.5, $"{least:0.000} s");   // 0.3 s on a machine that is not shared
    }

    [Fact]
    public void Manifest_WrittenGraphs_SaysWhatTheyAre()
    {
        MmBertModel.Open(Paths.MiniEmbed, Options).Dispose();
        System.Text.Json.JsonElement manifest = Goldens.Json(Assert.Single(GraphFolders()), CacheManifest.FileName);
        Assert.Equal("modernbert", manifest.GetProperty("architecture").GetString());
        Assert.Equal((6, 256), (manifest.GetProperty("layers").GetInt32(), manifest.GetProperty("hidden_size").GetInt32()));
        Assert.Equal([1, 2, 3, 6], manifest.GetProperty("exits").Ints());
        Assert.Equal([256, 128, 64], manifest.GetProperty("dimensions").Ints());
        Assert.Equal([64, 128, 256], manifest.GetProperty("tiers").Ints());
        Assert.Equal(("mean", "final", "fp32"), (manifest.GetProperty("pooling").GetString(), manifest.GetProperty("exit_norm").GetString(), manifest.GetProperty("precision").GetString()));
        Assert.True(manifest.GetProperty("context_length").GetInt32() > 0);
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(Paths.MiniEmbed, "model.safetensors"))));
        Assert.Equal(hash, manifest.GetProperty("sha256").GetProperty("model.safetensors").GetString());
    }

    private float First() => First(ModelFolders.Tiny, out _);

    private float First(string folder, out string fingerprint)
    {
        using MmBertModel model = MmBertModel.Open(folder, Options);
        fingerprint = model.Manifest.Fingerprint;
        using LayerState state = model.Run(TokenBatch.Of([2, 5, 6, 7, 1]), model.Manifest.Layers, default);
        return state.Hidden[0];
    }

    private string[] GraphFolders() => [.. Directory.GetDirectories(_cache.Path).Where(folder => Path.GetFileName(folder) != "hashes")];

    private void AssertOneWholeFolder()
    {
        string folder = Assert.Single(GraphFolders());
        Assert.True(CacheManifest.IsWhole(folder));
        Assert.Empty(Directory.GetFileSystemEntries(_cache.Path, "*.tmp*", SearchOption.AllDirectories));
    }

    private void SetMode(UnixFileMode mode)
    {
        foreach (string folder in Directory.GetDirectories(_cache.Path, "*", SearchOption.AllDirectories).Append(_cache.Path))
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, mode);
            }
        }
    }

    private static void SetAge(string path)
    {
        DateTime old = DateTime.UtcNow.AddHours(-1);
        if (Directory.Exists(path))
        {
            Directory.SetLastWriteTimeUtc(path, old);
        }
        else
        {
            File.SetLastWriteTimeUtc(path, old);
        }
    }
}
