using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>Scores the candidates of every dev set at every stop once and keeps the tables, so that curves and tables can be drawn from them at no cost.</summary>
internal static class RerankTables
{
    /// <summary>Where what probes read at every stop but the last lies beside a file of tables: for each query [stops][texts][features].</summary>
    public static string StatesOf(string tables) => Path.ChangeExtension(tables, ".states");

    public sealed record Saved(string Set, int Dimension, int[] Stops, int Features, float[][] Logits, int[] Tokens, float[] First, float[] Gains, float[] Missed);

    public static MmBertModel Open(string name, ModelPrecision precision) => MmBertModel.Open(Path.Combine(Root, "models", name), new ModelOptions { CacheFolder = Path.Combine(Root, "artifacts", "bench-graphs"), Precision = precision });

    public static string Root { get; } = FindRoot();

    private const int MaxTokens = 256;

    public static async Task<int> WriteAsync(string[] args)
    {
        int queries = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 40;
        ModelPrecision precision = BenchmarkArguments.Precision(args);
        using MmBertModel embed = Open("mini-embed", ModelPrecision.Fp32), rerank = Open("mini-rerank", precision);
        using MmBertReranker reranker = new(rerank, new RerankOptions { MaxTokens = MaxTokens });
        await using StreamWriter output = new(args[1]);
        await using FileStream states = File.Create(StatesOf(args[1]));
        foreach (string name in args.Length > 3 && args[3] != "int8" ? args[3].Split(',') : DevSet.Names)
        {
            Stopwatch watch = Stopwatch.StartNew();
            DevSet set = DevSet.Load(args[0], name).Sample(queries);
            FirstStage first = new(embed, set.Texts);
            Console.Error.WriteLine($"{name}: {set.Texts.Length} texts embedded in {watch.Elapsed.TotalSeconds:0.0} s");
            foreach ((string query, Dictionary<int, float> gains) in set.Queries)
            {
                RerankSample sample = first.Search(query, gains, 100);
                RerankSurvey survey = reranker.Survey(query, sample.Texts, reranker.Options, default);
                foreach (float[] state in survey.States[..^1].SelectMany(stop => stop))
                {
                    states.Write(MemoryMarshal.AsBytes<float>(state));
                }

                foreach (int dimension in reranker.Dimensions)
                {
                    float[][] logits = [.. reranker.Stops.Select((stop, i) => reranker.ScoreStates(stop, dimension, survey.States[i]))];
                    await output.WriteLineAsync(JsonSerializer.Serialize(new Saved(name, dimension, [.. reranker.Stops], RerankFeatures.Width(rerank), logits, survey.Tokens, [.. sample.FirstScores!], [.. sample.Gains!], [.. sample.MissedGains])));
                }
            }

            await output.FlushAsync();
            Console.Error.WriteLine($"{name}: {set.Queries.Length} queries in {watch.Elapsed.TotalSeconds:0.0} s");
        }

        return 0;
    }

    public static List<(string Set, int Dimension, RerankTable Table)> Read(string path)
    {
        List<(string, int, RerankTable)> rows = [];
        using FileStream file = File.OpenRead(StatesOf(path));
        float[][][] states = [];
        foreach (Saved saved in File.ReadLines(path).Select(line => JsonSerializer.Deserialize<Saved>(line)!))
        {
            if (rows.Count == 0 || saved.Dimension == rows[0].Item2)
            {
                // Once for each query, before the logits of its widest heads.
                states = [.. saved.Stops[..^1].Select(_ => saved.Tokens.Select(_ => State(file, saved.Features)).ToArray())];
            }

            rows.Add((saved.Set, saved.Dimension, new RerankTable(saved.Stops, saved.Logits, saved.Tokens, saved.First, new RerankSample("", new string[saved.Tokens.Length]) { Gains = saved.Gains, MissedGains = saved.Missed }) { States = states }));
        }

        return rows;
    }

    private static float[] State(FileStream file, int width)
    {
        float[] state = new float[width];
        file.ReadExactly(MemoryMarshal.AsBytes(state.AsSpan()));
        return state;
    }

    private static string FindRoot([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
