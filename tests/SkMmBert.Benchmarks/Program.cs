using SkMmBert.Benchmarks.Reranking;
using SkMmBert.Benchmarks.Tokens;

string verb = args.Length > 0 ? args[0] : "";
switch (verb)
{
    case "tokens-compare":
        return TokenComparison.Run(args[1..]);
    case "rerank-tables":
        return await RerankTables.WriteAsync(args[1..]);
    case "rerank-curve":
        return RerankCurve.Run(args[1..]);
    case "rerank-quality":
        return RerankQuality.Run(args[1..]);
    case "rerank-deadline":
        return await RerankDeadlines.RunAsync(args[1..]);
    default:
        Console.Error.WriteLine($"Found the verb '{verb}'; known are: tokens-compare TOKENIZER CASES; rerank-tables DATA OUT [QUERIES]; rerank-curve TABLES; rerank-quality TABLES; rerank-deadline DATA.");
        return 2;
}
