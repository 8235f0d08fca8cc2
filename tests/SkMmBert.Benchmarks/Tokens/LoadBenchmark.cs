using System.Diagnostics;
using System.Globalization;

namespace SkMmBert.Benchmarks.Tokens;

/// <summary>Opens one tokenizer.json in a fresh process: seconds, peak and what is kept.</summary>
internal static class LoadBenchmark
{
    public static int Run(string[] args)
    {
        if (args.Length != 1)
        {
            Console.Error.WriteLine("Expected: tokens-load FILE.");
            return 2;
        }

        Process process = Process.GetCurrentProcess();
        long before = process.WorkingSet64;
        long managedBefore = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        TextTokenizer tokenizer = TextTokenizer.Open(args[0]);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        long peak = process.PeakWorkingSet64;
        long kept = GC.GetTotalMemory(forceFullCollection: true) - managedBefore;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds:F3} s, peak of the process {peak / 1e6:F0} MB (before: {before / 1e6:F0} MB), kept {kept / 1e6:F1} MB, allocated {GC.GetTotalAllocatedBytes() / 1e6:F1} MB, {tokenizer.VocabularySize} ids"));
        return 0;
    }
}
