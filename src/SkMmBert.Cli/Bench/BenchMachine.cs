using System.Diagnostics;
using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>What a benchmark reads from the system: processor time, peak memory, load.</summary>
internal static class BenchMachine
{
    private const string Status = "/proc/self/status", Marks = "/proc/self/clear_refs", Memory = "/proc/meminfo", Average = "/proc/loadavg";

    /// <summary>The load average of the last minute; null where the system has none.</summary>
    public static double? Load => File.Exists(Average) ? double.Parse(File.ReadAllText(Average).Split(' ')[0], CultureInfo.InvariantCulture) : null;

    /// <summary>Bytes a run may still take without pushing others out.</summary>
    public static long Available => Field(Memory, "MemAvailable") is long kilobytes ? kilobytes * 1024 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Milliseconds of processor time that an action takes; another program's load disturbs them least.</summary>
    public static double ProcessorMilliseconds(Action action)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    /// <summary>Peak resident megabytes of this process while an action runs; where the system cannot forget an earlier peak (not Linux), the peak so far.</summary>
    public static double PeakMegabytes(Action action)
    {
        try
        {
            File.WriteAllText(Marks, "5");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The peak so far: runs go from short to long texts, so that it still says something.
        }

        action();
        using Process process = Process.GetCurrentProcess();
        return Field(Status, "VmHWM") is long kilobytes ? kilobytes / 1024.0 : process.PeakWorkingSet64 / 1048576.0;
    }

    // A line such as "VmHWM:   1234 kB".
    private static long? Field(string file, string name) => !File.Exists(file) ? null : File.ReadLines(file).Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))
        .Select(line => (long?)long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).FirstOrDefault();
}
