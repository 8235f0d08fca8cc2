namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Texts of about 1,500 tokens with the answer at the start, in the middle or at the end: how often they go before nine of the same length without it.</summary>
internal static class RerankLong
{
    public static async Task<int> RunAsync(string[] args)
    {
        int queries = args.Length > 1 ? int.Parse(args[1]) : 20;
        using MmBertModel rerank = RerankTables.Open("mini-rerank", ModelPrecision.Fp32);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = 2_048 });
        DevSet set = DevSet.Load(args[0], "npl"), sample = set.Sample(queries);
        foreach (string way in (string[])["whole", "sliced to 256", "cut at 512"])
        {
            RerankOptions options = way switch
            {
                "whole" => reranker.Options,
                "cut at 512" => reranker.Options with { MaxTokens = 512 },
                _ => reranker.Options with { MaxTokens = 256, LongTexts = LongTextHandling.Chunk },
            };
            foreach (string place in (string[])["start", "middle", "end"])
            {
                int first = 0;
                double reciprocal = 0;
                foreach ((string query, Dictionary<int, float> gains) in sample.Queries)
                {
                    // Fillers are texts of the set that are not relevant, the same ones in every run.
                    Random random = new(query.Length);
                    string[][] fillers = [.. Enumerable.Range(0, 10).Select(_ => Enumerable.Range(0, 24).Select(_ => set.Texts[random.Next(set.Texts.Length)]).ToArray())];
                    string answer = set.Texts[gains.Keys.First()];
                    fillers[0] = place switch { "start" => [answer, .. fillers[0]], "end" => [.. fillers[0], answer], _ => [.. fillers[0][..12], answer, .. fillers[0][12..]] };
                    RerankScore[] scores = await reranker.ScoreAsync(query, [.. fillers.Select(parts => string.Join(' ', parts))], options);
                    int rank = 1 + scores.Count(score => score.Order > scores[0].Order);
                    first += rank == 1 ? 1 : 0;
                    reciprocal += 1.0 / rank;
                }

                Console.WriteLine($"{way}, answer at the {place}: first of ten {(double)first / sample.Queries.Length:0.00}, MRR {reciprocal / sample.Queries.Length:0.00} (chance 0.10 and 0.29), {sample.Queries.Length} queries");
            }
        }

        return 0;
    }
}
