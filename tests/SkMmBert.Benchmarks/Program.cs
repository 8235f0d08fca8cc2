using SkMmBert.Benchmarks.Tokens;

string verb = args.Length > 0 ? args[0] : "";
switch (verb)
{
    case "tokens":
        return TokenBenchmark.Run(args[1..]);
    case "tokens-load":
        return LoadBenchmark.Run(args[1..]);
    case "tokens-compare":
        return TokenComparison.Run(args[1..]);
    default:
        Console.Error.WriteLine($"Found the verb '{verb}'; known are: tokens [--data DIR] [--peer], tokens-load FILE, tokens-compare TOKENIZER CASES.");
        return 2;
}
