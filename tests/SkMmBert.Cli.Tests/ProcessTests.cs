using System.Diagnostics;
using Xunit;

namespace SkMmBert.Cli.Tests;

/// <summary>What only a process of its own can show: signals.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Embed_CtrlC_LeavesNoHalfFile()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no SIGINT to send to another process.");
        }

        string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        try
        {
            string output = Path.Combine(folder, "vectors.jsonl");
            using Process process = Start(Path.ChangeExtension(typeof(Program).Assembly.Location, null), ["embed", "--out", output]);
            Task writing = Task.Run(async () =>
            {
                try
                {
                    string line = string.Join(' ', Enumerable.Repeat("so many words to embed", 40));
                    for (int i = 0; i < 20_000; i++)
                    {
                        await process.StandardInput.WriteLineAsync(line);
                    }
                }
                catch (IOException)
                {
                    // the process is gone, as it should be
                }
            });
            Stopwatch waited = Stopwatch.StartNew();
            while (Directory.GetFiles(folder).Length == 0 && !process.HasExited && waited.Elapsed < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(50);
            }

            Assert.EndsWith(".tmp", Assert.Single(Directory.GetFiles(folder)));
            using Process kill = Start("kill", [InterruptIsIgnored() ? "-TERM" : "-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            await writing;
            Assert.NotEqual(0, process.ExitCode);
            Assert.Empty(Directory.GetFiles(folder));
            Assert.StartsWith("error: Cancelled", await process.StandardError.ReadToEndAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A background job of a script is started deaf to Ctrl-C, and its children are born so; SIGTERM takes the same way through the program.
    private static bool InterruptIsIgnored()
    {
        const int interrupt = 2;
        string? ignored = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) : null;
        return ignored is not null && (Convert.ToUInt64(ignored[7..].Trim(), 16) & (1UL << (interrupt - 1))) != 0;
    }

    private static Process Start(string program, string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = Paths.Root,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
