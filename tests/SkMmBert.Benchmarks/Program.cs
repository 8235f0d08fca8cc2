using SkMmBert.Benchmarks.Layers;
using SkMmBert.Benchmarks.Memory;
using SkMmBert.Benchmarks.Reranking;
using SkMmBert.Benchmarks.Routing;
using SkMmBert.Benchmarks.Tokens;
using SkMmBert.Benchmarks.Vectors;

Dictionary<string, (string Usage, Func<string[], Task<int>> Run)> verbs = new()
{
    ["tokens"] = ("[--data DIR] [--peer]", rest => Task.FromResult(TokenBenchmark.Run(rest))),
    ["tokens-load"] = ("FILE", rest => Task.FromResult(LoadBenchmark.Run(rest))),
    ["tokens-compare"] = ("TOKENIZER CASES", rest => Task.FromResult(TokenComparison.Run(rest))),
    ["speed"] = ("[LENGTH…]", rest => Task.FromResult(SpeedBenchmark.Run(rest))),
    ["speed-plain"] = ("[LENGTH…]", rest => Task.FromResult(PlainBenchmark.Run(rest))),
    ["speed-mixed"] = ("[COUNT]", rest => Task.FromResult(SpeedBenchmark.RunMixed(rest))),
    ["speed-exits"] = ("[int8]", rest => Task.FromResult(SpeedBenchmark.RunExits(rest))),
    ["speed-streams"] = ("[fp32]", rest => Task.FromResult(SpeedBenchmark.RunStreams(rest))),
    ["speed-attention"] = ("[fp32|int8] [LENGTH…]", rest => Task.FromResult(AttentionBenchmark.Run(rest))),
    ["speed-segments"] = ("[int8]", rest => Task.FromResult(LimitsBenchmark.RunSegments(rest))),
    ["speed-cancel"] = ("[fp32|int8] [LENGTH…]", CancelBenchmark.RunAsync),
    ["speed-products"] = ("[LENGTH…]", rest => Task.FromResult(LimitsBenchmark.RunProducts(rest))),
    ["speed-peer"] = ("[COUNT]", rest => Task.FromResult(EncoderPeer.Run(rest))),
    ["memory"] = ("LENGTH [fp32]", rest => Task.FromResult(SpeedBenchmark.RunMemory(rest))),
    ["memory-exits"] = ("[one] [int8]", rest => Task.FromResult(LimitsBenchmark.RunExitMemory(rest))),
    ["memory-open"] = ("[int8]", rest => Task.FromResult(LimitsBenchmark.RunOpen(rest))),
    ["memory-mix"] = ("[COUNT] [full] [int8]", LimitsBenchmark.RunMixAsync),
    ["vectors-memory"] = ("[COUNT]", VectorBenchmark.RunMemoryAsync),
    ["vectors-similarity"] = ("", _ => VectorBenchmark.RunSimilarityAsync()),
    ["rerank-tables"] = ("DATA OUT [QUERIES] [SET,…] [int8]", RerankTables.WriteAsync),
    ["rerank-curve"] = ("TABLES [--all] [--heads]", rest => Task.FromResult(RerankCurve.Run(rest))),
    ["rerank-quality"] = ("TABLES", rest => Task.FromResult(RerankQuality.Run(rest))),
    ["routing-fit"] = ("DATA", RoutingFit.RunAsync),
    ["routing-speed"] = ("DATA", RoutingSpeed.RunAsync),
    ["routing-call"] = ("DATA [SET…]", RoutingCalls.RunAsync),
    ["routing-reopen"] = ("DATA", RoutingReopen.RunAsync),
    ["rerank-deadline"] = ("DATA [QUERIES] [int8]", RerankDeadlines.RunAsync),
    ["memory-funnel"] = ("DATA-FOLDER [ITEMS…]", rest => Task.FromResult(FunnelBenchmark.Run(rest))),
    ["memory-store"] = ("FILE [ITEMS] [DIMENSIONS]", StoreBenchmark.RunAsync),
    ["memory-quality"] = ("DATA-FOLDER [MODEL-FOLDER]", QualityBenchmark.RunAsync),
    ["rerank-speed"] = ("[ROUNDS]", rest => Task.FromResult(RerankSpeed.Run(rest))),
    ["memory-answers"] = ("DATA-FOLDER [QUESTIONS-A-SET] [ITEMS-A-SET]", AnswerBenchmark.RunAsync),
    ["rerank-long"] = ("DATA [QUERIES] [fp32]", RerankLong.RunAsync),
};
string verb = args.Length > 0 ? args[0] : "";
if (verbs.TryGetValue(verb, out (string Usage, Func<string[], Task<int>> Run) found))
{
    return await found.Run(args[1..]);
}

Console.Error.WriteLine($"Found the verb '{verb}'; known are: {string.Join(", ", verbs.Select(known => $"{known.Key} {known.Value.Usage}".Trim()))}.");
return 2;
