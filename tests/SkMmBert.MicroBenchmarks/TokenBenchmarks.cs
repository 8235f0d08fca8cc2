using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;

namespace SkMmBert.MicroBenchmarks;

/// <summary>Encoding with the tokenizer of the small models; the full-size one is measured by the <c>tokens</c> verb of SkMmBert.Benchmarks.</summary>
[MemoryDiagnoser]
public class TokenBenchmarks
{
    private readonly TextTokenizer _tokenizer = TextTokenizer.Open(Path.Combine(Root(), "models", "mini-embed", "tokenizer.json"));
    private readonly int[] _ids = new int[512];
    private const string Sentence = "What will the weather be like in Bern tomorrow, and should I take an umbrella?";
    private const string Japanese = "明日のベルンの天気はどうですか。傘を持って行くべきでしょうか。";

    [Benchmark]
    public int English() => _tokenizer.Encode(Sentence, _ids, out _);

    [Benchmark]
    public int NoSpaces() => _tokenizer.Encode(Japanese, _ids, out _);

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
