using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Scores the candidates of every dev set at every exit once and keeps the tables, so that curves and tables can be drawn from them at no cost.</summary>
internal static class RerankTables
{
    public sealed record Saved(string Set, int Dimension, int[] Exits, float[][] Logits, int[] Tokens, float[] First, float[] Gains, float[] Missed);

    public static MmBertModel Open(string name, ModelPrecision precision) => MmBertModel.Open(Path.Combine(Root, "models", name), new ModelOptions { CacheFolder = Path.Combine(Root, "artifacts", "bench-graphs"), Precision = precision });

    public static string Root { get; } = FindRoot();

    private const int MaxTokens = 256;

    public static async Task<int> WriteAsync(string[] args)
    {
        int queries = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 40;
        ModelPrecision precision = args.Contains("int8") ? ModelPrecision.Int8 : ModelPrecision.Fp32;
        using MmBertModel embed = Open("mini-embed", ModelPrecision.Fp32), rerank = Open("mini-rerank", precision);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = MaxTokens });
        await using StreamWriter output = new(args[1]);
        foreach (string name in DevSet.Names)
        {
            Stopwatch watch = Stopwatch.StartNew();
            DevSet set = DevSet.Load(args[0], name).Sample(queries);
            FirstStage first = new(embed, set.Texts);
            Console.Error.WriteLine($"{name}: {set.Texts.Length} texts embedded in {watch.Elapsed.TotalSeconds:0.0} s");
            foreach ((string query, Dictionary<int, float> gains) in set.Queries)
            {
                RerankSample sample = first.Search(query, gains, 100);
                IReadOnlyDictionary<string, float[]> heads = await reranker.ScoreEveryHeadAsync(query, sample.Texts);
                int[] tokens = [.. sample.Texts.Select(text => rerank.Tokenizer.EncodePair(query, text, MaxTokens).Ids.Length)];
                foreach (int dimension in reranker.Dimensions)
                {
                    float[][] logits = [.. reranker.Exits.Select(exit => heads[$"{exit}.{dimension}"])];
                    await output.WriteLineAsync(JsonSerializer.Serialize(new Saved(name, dimension, [.. reranker.Exits], logits, tokens, [.. sample.FirstScores!], [.. sample.Gains!], [.. sample.MissedGains])));
                }
            }

            await output.FlushAsync();
            Console.Error.WriteLine($"{name}: {set.Queries.Length} queries in {watch.Elapsed.TotalSeconds:0.0} s");
        }

        return 0;
    }

    public static List<(string Set, int Dimension, RerankTable Table)> Read(string path) =>
        [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<Saved>(line)!).Select(saved =>
            (saved.Set, saved.Dimension, new RerankTable(saved.Exits, saved.Logits, saved.Tokens, saved.First, new RerankSample("", new string[saved.Tokens.Length]) { Gains = saved.Gains, MissedGains = saved.Missed })))];

    private static string FindRoot([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
