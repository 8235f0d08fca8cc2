using System.Diagnostics;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Wall and processor times by name, in the order of their first run; each prints the least, the median and the mean processor time.</summary>
internal sealed class Timed
{
    private readonly Dictionary<string, (List<double> Wall, List<double> Processor)> _times = [];

    public void Run<T>(string name, Func<T> work) => RunAsync(name, () => Task.FromResult(work())).GetAwaiter().GetResult();

    public async Task RunAsync<T>(string name, Func<Task<T>> work)
    {
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        await work();
        double wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds, processor = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds;
        if (!_times.TryGetValue(name, out (List<double> Wall, List<double> Processor) times))
        {
            _times[name] = times = ([], []);
        }

        times.Wall.Add(wall);
        times.Processor.Add(processor);
    }

    public double Median(string name) => Middle(_times[name].Wall);

    public void Print()
    {
        foreach ((string name, (List<double> wall, List<double> processor)) in _times)
        {
            Console.WriteLine($"{name,-44} {wall.Count,4} times   min {wall.Min(),8:F2}   p50 {Middle(wall),8:F2}   processor, p50 {Middle(processor),8:F2} ms");
        }
    }

    private static double Middle(List<double> times)
    {
        double[] sorted = [.. times.Order()];
        return sorted[sorted.Length / 2];
    }
}
