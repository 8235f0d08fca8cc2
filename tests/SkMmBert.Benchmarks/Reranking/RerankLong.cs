using SkMmBert.Benchmarks.Layers;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Texts of about 1,500 tokens with the answer at the start, in the middle or at the end: how often they go before nine of the same length without it.</summary>
/// <remarks>
/// Real text throughout: each is 24 abstracts of one collection (npl), drawn at random among those that do not answer the question, and the answer is an abstract judged relevant to it,
/// put before them, after twelve of them, or behind. The nine others are the same for all three places.
/// </remarks>
internal static class RerankLong
{
    private const int Parts = 24, Others = 9;

    public static async Task<int> RunAsync(string[] args)
    {
        int queries = args.Length > 1 ? int.Parse(args[1]) : 30;
        using MmBertModel rerank = RerankTables.Open("mini-rerank", args.Contains("fp32") ? ModelPrecision.Fp32 : ModelPrecision.Int8);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = 2_048 });
        DevSet set = DevSet.Load(args[0], "npl"), sample = set.Sample(queries);
        (string Way, RerankOptions Options)[] ways =
        [
            ("whole", reranker.Options),
            ("slices of 256, the best counts", reranker.Options with { MaxTokens = 256, LongTexts = LongTextHandling.Chunk }),
            ("cut at 512", reranker.Options with { MaxTokens = 512 }),
        ];
        int[,][] ranks = new int[ways.Length, 3][];
        List<int> tokens = [];
        for (int i = 0; i < sample.Queries.Length; i++)
        {
            string[] texts = Texts(set, sample.Queries[i].Gains, new Random(i));
            tokens.AddRange(texts.Select(text => rerank.Tokenizer.CountTokens(text)));
            for (int way = 0; way < ways.Length; way++)
            {
                RerankScore[] scores = await reranker.ScoreAsync(sample.Queries[i].Query, texts, ways[way].Options);
                for (int place = 0; place < 3; place++)
                {
                    (ranks[way, place] ??= new int[sample.Queries.Length])[i] = 1 + scores[3..].Count(score => score.Order > scores[place].Order);
                }
            }
        }

        Console.WriteLine($"{sample.Queries.Length} queries, texts of {tokens.Average():0} tokens ({tokens.Min()} to {tokens.Max()}); chance: first 0.10, MRR 0.29; load {Cpu.Load()}");
        for (int way = 0; way < ways.Length; way++)
        {
            Console.WriteLine($"  {ways[way].Way}: {string.Join("; ", ((string[])["start", "middle", "end"]).Select((name, place) => $"{name} first {ranks[way, place].Average(rank => rank == 1 ? 1.0 : 0):0.00}, MRR {ranks[way, place].Average(rank => 1.0 / rank):0.00}"))}");
        }

        return 0;
    }

    // The answer at the start, in the middle and at the end, then the texts without it.
    private static string[] Texts(DevSet set, Dictionary<int, float> gains, Random random)
    {
        string answer = set.Texts[gains.Keys.First()];
        string[][] drawn = [.. Enumerable.Range(0, 1 + Others).Select(_ => Draw())];
        string[][] all = [[answer, .. drawn[0]], [.. drawn[0][..(Parts / 2)], answer, .. drawn[0][(Parts / 2)..]], [.. drawn[0], answer], .. drawn[1..]];
        return [.. all.Select(parts => string.Join(' ', parts))];

        string[] Draw()
        {
            List<string> parts = [];
            while (parts.Count < Parts)
            {
                int text = random.Next(set.Texts.Length);
                if (!gains.ContainsKey(text))
                {
                    parts.Add(set.Texts[text]);
                }
            }

            return [.. parts];
        }
    }
}
