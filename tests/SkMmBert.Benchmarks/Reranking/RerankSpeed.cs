using System.Globalization;
using SkMmBert.Benchmarks.Layers;
using SkMmBert.Tests;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>100 candidates of about 100 tokens on the full-size model with formula weights: int8 reranking against padded fp32 batches of 32 through the plain export, in alternating pairs of one process.</summary>
internal static class RerankSpeed
{
    public static int Run(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2;
        string folder = FormulaModel.RerankFolder(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, BenchmarkPaths.MiniEmbed);
        using NaiveModel naive = new(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, threads: 1);
        using MmBertModel model = MmBertModel.Open(folder, new ModelOptions { Precision = ModelPrecision.Int8, Threads = 1, CacheFolder = Path.Combine(BenchmarkPaths.Artifacts, "test-graphs") });
        using MmBertReranker reranker = new(model);
        const string query = "How do I change the delivery address of an order that was already sent?";
        string[] texts = Texts(model.Tokenizer);
        int[][] pairs = [.. texts.Select(text => model.Tokenizer.EncodePair(query, text).Ids)];
        naive.Run(pairs[0]);
        reranker.ScoreAsync(query, texts[..1]).GetAwaiter().GetResult();
        double[] ms = Cpu.Alternate(rounds,
            () => Array.ForEach([.. pairs.Chunk(32)], chunk => naive.Run(chunk)),
            () => reranker.ScoreAsync(query, texts).GetAwaiter().GetResult());
        Console.WriteLine($"{texts.Length} pairs of {pairs.Min(pair => pair.Length)} to {pairs.Max(pair => pair.Length)} tokens, {pairs.Average(pair => pair.Length):0} on average, pairs per second of processor time: naive padded {texts.Length / ms[0] * 1000:F2}, int8 {texts.Length / ms[1] * 1000:F2} ({ms[0] / ms[1]:F2}×), load {Cpu.Load()}");
        return 0;
    }

    // Lengths as candidates of a search have them: most near the middle, a few much shorter or longer; the same every time.
    private static string[] Texts(TextTokenizer tokenizer)
    {
        string[] words = ["order", "delivery", "address", "the", "customer", "can", "change", "until", "it", "was", "sent", "with", "a", "form", "on", "our", "page", "invoice", "return", "within"];
        Random random = new(3);
        return [.. Enumerable.Range(0, 100).Select(_ =>
        {
            int tokens = 30 + random.Next(36) + random.Next(36) + random.Next(36);
            List<string> text = [];
            while (tokenizer.CountTokens(string.Join(' ', text)) < tokens)
            {
                text.Add(words[random.Next(words.Length)]);
            }

            return string.Join(' ', text);
        })];
    }
}
