using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SkMmBert.Benchmarks.Tokens;

/// <summary>Runs <c>peers/tokens.mjs</c> on the same texts and prints both sides.</summary>
internal static class PeerComparison
{
    /// <summary>Texts of this many bytes are timed: the JavaScript peer needs seconds for a megabyte.</summary>
    private const int Budget = 400_000;

    public static void Run(string folder, string tokenizer, BenchmarkTexts texts, string shared, string? modules)
    {
        string script = FindScript();
        modules ??= Install(folder);
        string[] mixed = Take(texts.Mixed);
        string[] english = Take(texts.English);
        string input = Path.Combine(folder, "peer.json");
        object[] parity = [.. BenchmarkTexts.Parity(shared).Where(r => !r.TryGetProperty("pair", out _) && r.TryGetProperty("text", out _))
            .Select(r => new { text = r.GetProperty("text").GetString(), ids = r.GetProperty("ids") })];
        File.WriteAllText(input, JsonSerializer.Serialize(new { mixed, english, parity }));
        string output = Execute("node", [script, modules, tokenizer, input], folder);
        Console.WriteLine();
        Console.WriteLine("| implementation | 112 languages, tokens/s | English, tokens/s | load s | parity texts whose ids differ |");
        Console.WriteLine("|---|--:|--:|--:|--:|");
        long start = Stopwatch.GetTimestamp();
        TextTokenizer ours = TextTokenizer.Open(tokenizer);
        double load = Stopwatch.GetElapsedTime(start).TotalSeconds;
        int different = BenchmarkTexts.Parity(shared).Where(r => !r.TryGetProperty("pair", out _) && r.TryGetProperty("text", out _))
            .Count(r => !ours.Encode(r.GetProperty("text").GetString()!, addSpecialTokens: false).Ids.SequenceEqual(r.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32())));
        (double seconds, long tokens) = TokenBenchmark.Time(tokenizer, mixed, warm: false);
        (double englishSeconds, long englishTokens) = TokenBenchmark.Time(tokenizer, english, warm: false);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| SkMmBert (cold cache) | {tokens / seconds:N0} | {englishTokens / englishSeconds:N0} | {load:F2} | {different} of {parity.Length} |"));
        Console.Write(output);
    }

    private static string[] Take(string[] texts)
    {
        long bytes = 0;
        return [.. texts.TakeWhile(t => (bytes += System.Text.Encoding.UTF8.GetByteCount(t)) < Budget)];
    }

    private static string Install(string folder)
    {
        string modules = Directory.CreateDirectory(Path.Combine(folder, "peers")).FullName;
        Execute("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", modules, "@huggingface/transformers", "tokenizers@0.23.2"], folder);
        return modules;
    }

    private static string FindScript()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "tests", "SkMmBert.Benchmarks", "peers", "tokens.mjs");
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new FileNotFoundException("'tests/SkMmBert.Benchmarks/peers/tokens.mjs' was not found above the program; run it in a checkout.");
    }

    private static string Execute(string program, string[] arguments, string folder)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, WorkingDirectory = folder })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"'{program}' ended with {process.ExitCode}; 0 is expected.");
    }
}
