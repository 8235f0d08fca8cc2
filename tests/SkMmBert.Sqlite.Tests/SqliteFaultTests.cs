using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>What happens when the file, the disk or the process fails.</summary>
public sealed class SqliteFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skmmbert-faults-").FullName;

    private string File1 => Path.Combine(_folder, "memory.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>20 rounds, or as many as SKMMBERT_CRASH_ROUNDS says (200 in a full run).</summary>
    [Fact]
    public async Task Write_KilledInTheMiddle_LosesNothingAcknowledged()
    {
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("SKMMBERT_CRASH_ROUNDS"), out int given) ? given : 20;
        Random random = new(5);
        HashSet<int> acknowledged = [];
        int next = 0, cut = 0;
        for (int round = 0; round < rounds; round++)
        {
            using Process writer = Start(next, 1_000_000);
            int wanted = random.Next(0, 25);
            for (int seen = 0; seen < wanted && await writer.StandardOutput.ReadLineAsync() is { } line; seen++)
            {
                acknowledged.Add(int.Parse(line));
            }

            await Task.Delay(random.Next(0, 4));
            writer.Kill();
            string rest = await writer.StandardOutput.ReadToEndAsync();
            foreach (string line in rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                acknowledged.Add(int.Parse(line)); // only whole lines: the last may be cut in the middle of its number
            }

            await writer.WaitForExitAsync();
            if (round % 5 != 4 && round != rounds - 1)
            {
                next += 10_000;
                continue;
            }

            using SqliteMemoryStore store = new(File1);
            await store.BindAsync(MemoryStoreConformance.Hashed.Model);
            Assert.Empty(await store.FindProblemsAsync());
            Dictionary<int, int> found = [];
            await foreach (MemoryItem item in store.ListAsync(MemoryFilter.All))
            {
                int batch = int.Parse(item.Id.Split('/')[0]);
                found[batch] = found.GetValueOrDefault(batch) + 1;
            }

            Assert.All(found, pair => Assert.True(pair.Value == CrashWriter.BatchItems, $"batch {pair.Key} has {pair.Value} items: half a write"));
            Assert.All(acknowledged, batch => Assert.True(found.ContainsKey(batch), $"batch {batch} was acknowledged and is gone after round {round}"));
            cut = found.Count - acknowledged.Count;
            int sample = acknowledged.DefaultIfEmpty(-1).Max();
            if (sample >= 0)
            {
                MemorySearchResult result = await store.SearchAsync(MemoryStoreConformance.Ask($"batch {sample} item 3 says hello to all"));
                Assert.Contains(result.Candidates, candidate => candidate.Item.Id == $"{sample}/3");
            }

            next += 10_000;
        }

        Assert.True(acknowledged.Count > 0, "no batch was ever acknowledged");
        TestContext.Current.SendDiagnosticMessage($"{rounds} kills, {acknowledged.Count} batches acknowledged, none lost; {cut} more were found that had been written but not yet announced");
    }

    [Fact]
    public async Task Write_FourProcessesFromAnEmptyFile_EveryItemIsThere()
    {
        Process[] writers = [.. Enumerable.Range(0, 4).Select(i => Start(i * 1_000, 15))];
        foreach (Process writer in writers)
        {
            Assert.Equal(15, (await writer.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            await writer.WaitForExitAsync();
            Assert.Equal(0, writer.ExitCode);
            writer.Dispose();
        }

        using SqliteMemoryStore store = new(File1);
        await store.BindAsync(MemoryStoreConformance.Hashed.Model);
        Assert.Equal(4 * 15 * CrashWriter.BatchItems, await store.CountAsync(MemoryFilter.All));
        Assert.Empty(await store.FindProblemsAsync());
    }

    [Fact]
    public async Task Write_DiskFull_SaysSoAndKeepsWhatWasThere()
    {
        using SqliteMemoryStore store = await Filled(50);
        store.LimitPages(60);
        IOException error = await Assert.ThrowsAsync<IOException>(() => store.AddAsync([.. Enumerable.Range(0, 2_000).Select(i => MemoryStoreConformance.Item($"more {i}"))]));
        Assert.Contains("no room left", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(50, await store.CountAsync(MemoryFilter.All));
        store.LimitPages(1_000_000);
        await store.AddAsync([MemoryStoreConformance.Item("after there is room again")]);
        Assert.Equal(51, await store.CountAsync(MemoryFilter.All));
        Assert.Empty(await store.FindProblemsAsync());
    }

    [Fact]
    public async Task Write_FileSizeLimitOfTheSystem_SaysSoAndKeepsWhatWasThere()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "file size limits are set by the shell's ulimit");
        (await Filled(10)).Dispose();

        // The writer may make no file longer than 512 kB: SQLite's own writes fail then, as on a full disk.
        using Process writer = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"trap '' XFSZ; ulimit -f 1024; exec '{Environment.ProcessPath}' write '{File1}' 0 2000"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_EnableWriteXorExecute"] = "0" }, // the runtime's own code pages would count as a file
        })!;
        Task<string> errors = writer.StandardError.ReadToEndAsync();
        string[] lines = (await writer.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await writer.WaitForExitAsync();
        Assert.Contains(File1, await errors);
        Assert.Equal(1, writer.ExitCode);
        Assert.NotEmpty(lines);
        using SqliteMemoryStore store = new(File1);
        await store.BindAsync(MemoryStoreConformance.Hashed.Model);
        Assert.Equal(10 + (lines.Length * CrashWriter.BatchItems), await store.CountAsync(MemoryFilter.All));
        Assert.Empty(await store.FindProblemsAsync());
    }

    [Fact]
    public async Task Write_ReadOnlyFile_SaysSo()
    {
        (await Filled(5)).Dispose();
        using SqliteMemoryStore store = new(File1);
        await store.BindAsync(MemoryStoreConformance.Hashed.Model);
        store.RefuseWrites();
        IOException error = await Assert.ThrowsAsync<IOException>(() => store.AddAsync([MemoryStoreConformance.Item("new")]));
        Assert.Contains("read-only", error.Message);
        Assert.Equal(5, (await store.SearchAsync(MemoryStoreConformance.Ask("note"))).Candidates.Count);
    }

    /// <summary>A process without the right to write, which root would have: as root it runs as nobody.</summary>
    [Fact]
    public async Task Write_WithoutPermission_SaysSoAndChangesNothing()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("permissions are set by chmod");
            return;
        }

        bool root = Environment.UserName == "root";
        Assert.SkipWhen(root && !File.Exists("/usr/sbin/runuser") && !File.Exists("/sbin/runuser"), "root may write anywhere, and runuser is not there to run as another user");
        (await Filled(5)).Dispose();
        string seen = Path.Combine(_folder, "seen");
        Directory.CreateDirectory(seen);
        string path = Path.Combine(seen, "memory.db");
        File.Move(File1, path);
        byte[] before = File.ReadAllBytes(path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(seen, readable);
        File.SetUnixFileMode(_folder, readable | UnixFileMode.UserWrite);
        try
        {
            string[] command = [Environment.ProcessPath!, "write", path, "0", "3"];
            using Process writer = Process.Start(new ProcessStartInfo(root ? "runuser" : command[0], root ? ["-u", "nobody", "--", .. command] : command[1..])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/", Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["HOME"] = "/" },
            })!;
            Task<string> errors = writer.StandardError.ReadToEndAsync();
            Assert.Equal("", await writer.StandardOutput.ReadToEndAsync());
            await writer.WaitForExitAsync();
            Assert.Equal(1, writer.ExitCode);
            Assert.Matches("(read-only|cannot be opened)", await errors);
            Assert.Contains(path, await errors);
        }
        finally
        {
            File.SetUnixFileMode(seen, readable | UnixFileMode.UserWrite);
        }

        Assert.Equal(before, File.ReadAllBytes(path));
    }

    /// <summary>What another process has written is in the very next search, and that within a second.</summary>
    [Fact]
    public async Task Search_WhileAnotherProcessWrites_SeesEachBatchAtOnce()
    {
        using SqliteMemoryStore store = await Filled(5);
        using Process writer = Start(100, 40);
        List<double> seconds = [];
        while (await writer.StandardOutput.ReadLineAsync() is { } line)
        {
            long acknowledged = Stopwatch.GetTimestamp();
            MemorySearchResult result = await store.SearchAsync(MemoryStoreConformance.Ask($"batch {line} item 3 says hello to all"));
            Assert.Contains(result.Candidates, candidate => candidate.Item.Id == $"{line}/3");
            seconds.Add(Stopwatch.GetElapsedTime(acknowledged).TotalSeconds);
            await store.AddAsync([MemoryStoreConformance.Item($"in between {line}")]);
        }

        await writer.WaitForExitAsync();
        Assert.Equal((40, 0), (seconds.Count, writer.ExitCode));
        Assert.True(seconds.Order().ElementAt(20) < 1, $"half of the batches took more than {seconds.Order().ElementAt(20):F2} s to be seen");
        Assert.Equal(5 + 40 + (40 * CrashWriter.BatchItems), await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task AnyVerb_FileDeletedMeanwhile_SaysSo()
    {
        using SqliteMemoryStore store = await Filled(5);
        File.Delete(File1);
        foreach (Func<Task> verb in new Func<Task>[]
        {
            () => store.AddAsync([MemoryStoreConformance.Item("new")]), () => store.SearchAsync(MemoryStoreConformance.Ask("note")), () => store.RemoveAsync(MemoryFilter.All),
        })
        {
            Assert.Contains("deleted or moved", (await Assert.ThrowsAsync<FileNotFoundException>(verb)).Message);
        }
    }

    [Fact]
    public async Task Open_FolderMissing_SaysSo()
    {
        using SqliteMemoryStore store = new(Path.Combine(_folder, "nowhere", "memory.db"));
        Assert.Contains("cannot be opened", (await Assert.ThrowsAsync<IOException>(() => store.BindAsync(MemoryStoreConformance.Hashed.Model))).Message);
    }

    [Fact]
    public async Task Open_NotADatabaseOrAnotherProgramsOne_Refused()
    {
        File.WriteAllText(File1, new string('x', 5_000));
        using (SqliteMemoryStore store = new(File1))
        {
            Assert.Contains("not an SQLite file", (await Assert.ThrowsAsync<InvalidDataException>(() => store.BindAsync(MemoryStoreConformance.Hashed.Model))).Message);
        }

        Assert.Equal(5_000, new FileInfo(File1).Length);
        string foreign = Path.Combine(_folder, "foreign.db");
        using (SqliteSession session = new(foreign, create: true, 1_000))
        {
            session.Execute("CREATE TABLE theirs(x)");
        }

        using SqliteMemoryStore other = new(foreign);
        Assert.Contains("another program", (await Assert.ThrowsAsync<InvalidDataException>(() => other.BindAsync(MemoryStoreConformance.Hashed.Model))).Message);
    }

    [Fact]
    public async Task Open_TruncatedFile_IsDamaged()
    {
        (await Filled(500)).Dispose();
        using (FileStream file = File.OpenWrite(File1))
        {
            file.SetLength(file.Length / 2);
        }

        await AssertDamaged();
    }

    /// <summary>Each page of the file in turn is overwritten: some verb must name the damage, and none may answer with less than everything as if all were well.</summary>
    [Fact]
    public async Task Use_AnyPageOverwritten_NamesTheDamageOrLosesNothing()
    {
        (await Filled(120)).Dispose();
        byte[] whole = File.ReadAllBytes(File1);
        int damaged = 0, pages = whole.Length / 4_096;
        for (int page = 0; page < pages; page++)
        {
            byte[] broken = [.. whole];
            broken.AsSpan(page * 4_096, 4_096).Fill(0xEE);
            File.WriteAllBytes(File1, broken);
            using SqliteMemoryStore store = new(File1);
            try
            {
                await store.BindAsync(MemoryStoreConformance.Hashed.Model);
                Assert.Equal(120, (await store.SearchAsync(MemoryStoreConformance.Ask("note", take: 500))).Candidates.Count);
                int listed = 0;
                await foreach (MemoryItem item in store.ListAsync(MemoryFilter.All))
                {
                    Assert.StartsWith("note ", item.Text);
                    listed++;
                }

                Assert.Equal(120, listed);
                damaged += (await store.FindProblemsAsync()).Count > 0 ? 1 : 0;
            }
            catch (InvalidDataException error)
            {
                Assert.DoesNotContain('\n', error.Message);
                damaged++;
            }
        }

        Assert.True(damaged >= pages - 2, $"{damaged} of {pages} broken pages were named");
    }

    private async Task AssertDamaged()
    {
        using SqliteMemoryStore store = new(File1);
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await store.BindAsync(MemoryStoreConformance.Hashed.Model);
            await store.SearchAsync(MemoryStoreConformance.Ask("note", take: 1_000));
        });
        Assert.Contains("damaged", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    private async Task<SqliteMemoryStore> Filled(int items)
    {
        SqliteMemoryStore store = new(File1);
        await store.BindAsync(MemoryStoreConformance.Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, items).Select(i => MemoryStoreConformance.Item($"note {i}"))]);
        return store;
    }

    private Process Start(int from, int count) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["write", File1, from.ToString(), count.ToString()])
    {
        RedirectStandardOutput = true,
    })!;
}
