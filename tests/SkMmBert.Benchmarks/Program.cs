using SkMmBert.Benchmarks.Layers;
using SkMmBert.Benchmarks.Memory;
using SkMmBert.Benchmarks.Tokens;

Dictionary<string, (string Usage, Func<string[], int> Run)> verbs = new()
{
    ["tokens"] = ("[--data DIR] [--peer]", TokenBenchmark.Run),
    ["tokens-load"] = ("FILE", LoadBenchmark.Run),
    ["tokens-compare"] = ("TOKENIZER CASES", TokenComparison.Run),
    ["speed"] = ("[LENGTH…]", SpeedBenchmark.Run),
    ["speed-mixed"] = ("[COUNT]", SpeedBenchmark.RunMixed),
    ["speed-exits"] = ("[int8]", SpeedBenchmark.RunExits),
    ["speed-streams"] = ("[fp32]", SpeedBenchmark.RunStreams),
    ["speed-peer"] = ("", EncoderPeer.Run),
    ["memory-funnel"] = ("DATA-FOLDER [ITEMS…]", FunnelBenchmark.Run),
    ["memory-store"] = ("NEW-FILE [ITEMS] [DIMENSIONS]", StoreBenchmark.Run),
    ["memory-quality"] = ("DATA-FOLDER [MODEL-FOLDER]", QualityBenchmark.Run),
    ["memory"] = ("LENGTH [fp32]", SpeedBenchmark.RunMemory),
};
string verb = args.Length > 0 ? args[0] : "";
if (verbs.TryGetValue(verb, out (string Usage, Func<string[], int> Run) found))
{
    return found.Run(args[1..]);
}

Console.Error.WriteLine($"Found the verb '{verb}'; known are: {string.Join(", ", verbs.Select(known => $"{known.Key} {known.Value.Usage}".Trim()))}.");
return 2;
