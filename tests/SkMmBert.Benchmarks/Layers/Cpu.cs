using System.Diagnostics;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>Times by the processor time of this process, which another program's load disturbs least.</summary>
internal static class Cpu
{
    /// <summary>Runs every action in turn, again and again, and gives each one's least time in milliseconds.</summary>
    public static double[] Alternate(int rounds, params Action[] actions)
    {
        double[] least = new double[actions.Length];
        Array.Fill(least, double.MaxValue);
        using Process process = Process.GetCurrentProcess();
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                process.Refresh();
                TimeSpan before = process.TotalProcessorTime;
                actions[i]();
                process.Refresh();
                least[i] = Math.Min(least[i], (process.TotalProcessorTime - before).TotalMilliseconds);
            }
        }

        return least;
    }

    /// <summary>The system's load average of the last minute, where there is one.</summary>
    public static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    /// <summary>Peak and private resident memory in MB, where the system tells.</summary>
    public static string Memory()
    {
        if (!File.Exists("/proc/self/status"))
        {
            return "unknown";
        }

        string[] lines = File.ReadAllLines("/proc/self/status");
        string Field(string name) => (long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), System.Globalization.CultureInfo.InvariantCulture) / 1024).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"peak {Field("VmHWM")}, now {Field("VmRSS")}, of that private {Field("RssAnon")}";
    }
}
