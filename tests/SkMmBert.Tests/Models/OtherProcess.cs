using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SkMmBert.Tests;

/// <summary>Opens a model in another process: the test executable itself, which turns to that before anything else when it is told to.</summary>
internal static class OtherProcess
{
    private const string Folder = "SKMMBERT_TEST_FOLDER", Cache = "SKMMBERT_TEST_CACHE", KillAt = "SKMMBERT_TEST_KILL_AT", Exit = "SKMMBERT_TEST_EXIT";

    /// <summary>Starts the opening of a model and one run through it.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="cache">The cache folder.</param>
    /// <param name="killAt">Part of the writing after which the process dies without a chance to clean up.</param>
    /// <param name="exit">The exit that is run; null for the last.</param>
    /// <param name="before">Shell commands in front, such as a limit on file sizes.</param>
    public static Process Open(string folder, string cache, double? killAt = null, int? exit = null, string? before = null)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "SkMmBert.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        ProcessStartInfo start = before is null ? new(program) : new("/bin/sh", ["-c", $"{before}; exec \"$0\"", program]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";   // else the runtime itself falls under a limit on file sizes
        start.Environment[Folder] = folder;
        start.Environment[Cache] = cache;
        start.Environment[KillAt] = killAt?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment[Exit] = exit?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }

    /// <summary>Waits for the end; what the process said, one line.</summary>
    public static async Task<string> EndAsync(Process process)
    {
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.Dispose();
        return said.TrimEnd('\n');
    }

    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Folder) is not { Length: > 0 } folder)
        {
            return;
        }

        try
        {
            ModelOptions options = new() { CacheFolder = Environment.GetEnvironmentVariable(Cache) };
            if (double.TryParse(Environment.GetEnvironmentVariable(KillAt), System.Globalization.CultureInfo.InvariantCulture, out double killAt))
            {
                options = options with { Progress = new Killer(killAt) };
            }

            using MmBertModel model = MmBertModel.Open(folder, options);
            int exit = int.TryParse(Environment.GetEnvironmentVariable(Exit), out int asked) ? asked : model.Manifest.Layers;
            using LayerState state = model.Run(TokenBatch.Of([2, 5, 6, 7, 1]), exit, default);
            Console.WriteLine($"ok {state.Hidden[0]:R}");
            Environment.Exit(0);
        }
        catch (Exception error)
        {
            Console.WriteLine($"{error.GetType().Name}: {error.Message}");
            Environment.Exit(1);
        }
    }

    private sealed class Killer(double at) : IProgress<double>
    {
        public void Report(double value)
        {
            if (value >= at)
            {
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        }
    }
}
