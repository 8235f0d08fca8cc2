using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;

namespace SkMmBert.Benchmarks.Tokens;

/// <summary>Speed of the tokenizer on one thread, beside other implementations in the same run.</summary>
internal static class TokenBenchmark
{
    private const int Rounds = 5;

    public static int Run(string[] args)
    {
        string? shared = Option(args, "--shared") ?? FindShared();
        if (shared is null)
        {
            Console.Error.WriteLine("Found no folder 'shared' beside the repository; name it with --shared DIR (it holds reference/tokenizer/).");
            return 2;
        }

        BenchmarkTexts texts = BenchmarkTexts.Read(shared, Option(args, "--data"));
        string folder = Directory.CreateTempSubdirectory("skmmbert-bench-").FullName;
        string file = Path.Combine(folder, "tokenizer.json");
        using (GZipStream unpacked = new(File.OpenRead(Path.Combine(shared, "reference", "tokenizer", "tokenizer.json.gz")), CompressionMode.Decompress))
        using (FileStream written = File.Create(file))
        {
            unpacked.CopyTo(written);
        }

        Console.WriteLine(FormattableString.Invariant($"load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]}, {Environment.ProcessorCount} cores, .NET {Environment.Version}; CPU time, best of {Rounds} rounds, one thread"));
        Console.WriteLine("| text | MB | tokens | cache | MB/s | million tokens/s |");
        Console.WriteLine("|---|--:|--:|---|--:|--:|");
        Measure(file, "112 languages", texts.Mixed, warm: false);
        Measure(file, "112 languages", texts.Mixed, warm: true);
        Measure(file, "each word once", texts.Unique, warm: false);
        Measure(file, "English", texts.English, warm: false);
        Measure(file, "English", texts.English, warm: true);
        Measure(file, "one word of 1,000,000 letters", [new string('a', 1_000_000)], warm: false);
        if (args.Contains("--peer"))
        {
            PeerComparison.Run(folder, file, texts, shared, Option(args, "--modules"));
        }

        Directory.Delete(folder, recursive: true);
        return 0;
    }

    /// <summary>CPU seconds of the best round, and tokens of one round.</summary>
    internal static (double Seconds, long Tokens) Time(string file, string[] texts, bool warm)
    {
        double best = double.MaxValue;
        long tokens = 0;
        int[] ids = new int[4096];
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        Pass(tokenizer, texts, ids); // the compiler's warm-up, and the cache's
        for (int round = 0; round < Rounds; round++)
        {
            tokenizer = warm ? tokenizer : TextTokenizer.Open(file);
            GC.Collect();
            TimeSpan before = Process.GetCurrentProcess().UserProcessorTime;
            long start = Stopwatch.GetTimestamp();
            tokens = Pass(tokenizer, texts, ids);
            double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double cpu = (Process.GetCurrentProcess().UserProcessorTime - before).TotalSeconds;
            best = Math.Min(best, Math.Min(wall, cpu > 0.05 ? cpu : wall));
        }

        return (best, tokens);
    }

    private static void Measure(string file, string name, string[] texts, bool warm)
    {
        (double seconds, long tokens) = Time(file, texts, warm);
        double megabytes = BenchmarkTexts.Bytes(texts) / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {megabytes:F2} | {tokens} | {(warm ? "warm" : "cold")} | {megabytes / seconds:F1} | {tokens / seconds / 1e6:F2} |{(texts.Length == 1 ? $" {seconds:F3} s" : "")}"));
    }

    private static long Pass(TextTokenizer tokenizer, string[] texts, int[] ids)
    {
        long tokens = 0;
        foreach (string text in texts)
        {
            ReadOnlySpan<char> rest = text;
            tokens += tokenizer.Encode(rest, ids, out int read);
            if (read < text.Length)
            {
                tokens += tokenizer.CountTokens(text) - ids.Length;
            }
        }

        return tokens;
    }

    internal static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and int at && at + 1 < args.Length ? args[at + 1] : null;

    private static string? FindShared()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "reference", "tokenizer");
            if (Directory.Exists(candidate))
            {
                return Path.Combine(folder.FullName, "shared");
            }
        }

        return null;
    }
}
