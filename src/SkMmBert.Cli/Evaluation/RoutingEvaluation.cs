using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Measures the router beside what it replaces, on one set.</summary>
internal static class RoutingEvaluation
{
    private const int Ranked = 10;
    private const int FixedLength = 7;

    /// <summary>One strategy on one set.</summary>
    /// <param name="Set">The set's name.</param>
    /// <param name="Strategy">The strategy.</param>
    /// <param name="Metrics">How good its ranking is.</param>
    /// <param name="Milliseconds">Mean time of a question, its embedding remembered or not as it came.</param>
    public sealed record Row(string Set, string Strategy, RoutingMetrics Metrics, double Milliseconds);

    /// <summary>Adaptive lists on one set: how often a fitting tool is in them, against lists of a fixed length.</summary>
    public sealed record Lists(string Set, double MeanLength, double Any, double All, double FixedAny, double FixedAll, double Abstained)
    {
        /// <summary>How often a fitting tool is in the lists of the removed strategy and of BM25, all as long as the adaptive ones are on average.</summary>
        public (double Removed, double Words) AnyAtEqualLength { get; init; }
    }

    public static async Task<(IReadOnlyList<Row> Rows, Lists Lists)> RunAsync(RoutingSet set, IEmbeddingGenerator<string, Embedding<float>> embedder, Reranker? reranker, CancellationToken cancellationToken)
    {
        using MemoEmbedder memo = new(embedder);
        WordBaseline words = new(set.Tools);
        List<Row> rows = [Measure(set, "bm25", query => Top(words.Scores(query)))];
        int route = embedder.GetService(typeof(ModelManifest)) is ModelManifest manifest ? VectorTier.Route.DimensionsIn(manifest) : 0;
        ReadOnlyMemory<float>[] tools = await memo.VectorsAsync(set.Tools.Select(tool => string.IsNullOrEmpty(tool.Description) ? tool.Name : $"{tool.Name}: {tool.Description}"), cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<float>[] removed = await memo.VectorsAsync(set.Tools.Select(tool => $"{tool.Name}\n{tool.Description}"), cancellationToken).ConfigureAwait(false);
        Dictionary<string, ReadOnlyMemory<float>> queries = [];
        foreach (string[] texts in set.Queries.Select(query => query.Text).Distinct().Chunk(256))
        {
            ReadOnlyMemory<float>[] vectors = await memo.VectorsAsync(texts, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < texts.Length; i++)
            {
                queries[texts[i]] = vectors[i];
            }
        }

        if (route > 0)
        {
            rows.Add(Measure(set, $"dense {route}", query => Top(Cosines(queries[query], tools, route))));
        }

        rows.Add(Measure(set, "dense full", query => Top(Cosines(queries[query], tools, int.MaxValue))));
        rows.Add(Measure(set, "equal mix", query => Top(Mix(Cosines(queries[query], tools, int.MaxValue), words.Scores(query)))));
        rows.Add(Measure(set, "removed MEAI strategy", query => Top(Cosines(queries[query], removed, int.MaxValue))));
        rows.Add(await MeasureAsync(set, "router", new ToolRouter(memo, set.Tools, new() { Top = Ranked }), cancellationToken).ConfigureAwait(false));
        if (reranker is not null)
        {
            rows.Add(await MeasureAsync(set, "router + rerank", new ToolRouter(memo, set.Tools, new() { Top = Ranked, Reranker = reranker }), cancellationToken).ConfigureAwait(false));
        }

        Lists lists = await MeasureListsAsync(set, new ToolRouter(memo, set.Tools, new() { MinimumCatalogue = 0 }), cancellationToken).ConfigureAwait(false);
        int length = Math.Clamp((int)Math.Round(lists.MeanLength), 1, Ranked);
        return (rows, lists with { AnyAtEqualLength = (Any(set, length, query => Top(Cosines(queries[query], removed, int.MaxValue))), Any(set, length, query => Top(words.Scores(query)))) });
    }

    private static double Any(RoutingSet set, int length, Func<string, IReadOnlyList<int>> rank) =>
        set.Queries.Count(query => rank(query.Text).Take(length).Any(query.Relevant.Contains)) / (double)Math.Max(1, set.Queries.Count);

    private static Row Measure(RoutingSet set, string strategy, Func<string, IReadOnlyList<int>> rank)
    {
        long started = Stopwatch.GetTimestamp();
        RoutingMetrics metrics = RoutingMetrics.Of([.. set.Queries.Select(query => (rank(query.Text), query.Relevant))]);
        return new Row(set.Name, strategy, metrics, Stopwatch.GetElapsedTime(started).TotalMilliseconds / Math.Max(1, set.Queries.Count));
    }

    private static async Task<Row> MeasureAsync(RoutingSet set, string strategy, ToolRouter router, CancellationToken cancellationToken)
    {
        await router.IndexAsync(cancellationToken).ConfigureAwait(false);
        List<(IReadOnlyList<int>, IReadOnlyCollection<int>)> lists = [];
        double milliseconds = 0;
        foreach (RoutingQuery query in set.Queries)
        {
            RoutingDecision decision = await router.RouteAsync(query.Text, cancellationToken).ConfigureAwait(false);
            lists.Add(([.. decision.Tools.Select(tool => tool.Index)], query.Relevant));
            milliseconds += decision.Elapsed.TotalMilliseconds;
        }

        return new Row(set.Name, strategy, RoutingMetrics.Of(lists), milliseconds / Math.Max(1, lists.Count));
    }

    private static async Task<Lists> MeasureListsAsync(RoutingSet set, ToolRouter router, CancellationToken cancellationToken)
    {
        double length = 0, any = 0, all = 0, fixedAny = 0, fixedAll = 0, abstained = 0;
        foreach (RoutingQuery query in set.Queries)
        {
            RoutingDecision decision = await router.RouteAsync(query.Text, cancellationToken).ConfigureAwait(false);
            int found = decision.Tools.Count(tool => query.Relevant.Contains(tool.Index)), first = decision.Candidates.Take(FixedLength).Count(tool => query.Relevant.Contains(tool.Index));
            length += decision.Tools.Count;
            abstained += decision.Abstained ? 1 : 0;
            (any, all) = (any + Math.Min(1, found), all + ((double)found / query.Relevant.Count));
            (fixedAny, fixedAll) = (fixedAny + Math.Min(1, first), fixedAll + ((double)first / query.Relevant.Count));
        }

        int n = Math.Max(1, set.Queries.Count);
        return new Lists(set.Name, length / n, any / n, all / n, fixedAny / n, fixedAll / n, abstained / n);
    }

    private static float[] Cosines(ReadOnlyMemory<float> query, ReadOnlyMemory<float>[] tools, int dimensions)
    {
        int width = Math.Min(query.Length, dimensions);
        float[] cosines = new float[tools.Length];
        for (int i = 0; i < cosines.Length; i++)
        {
            cosines[i] = TensorPrimitives.CosineSimilarity(query.Span[..width], tools[i].Span[..width]);
        }

        return cosines;
    }

    private static float[] Mix(float[] dense, float[] words)
    {
        float[] mixed = new float[dense.Length];
        foreach (float[] side in new[] { dense, words })
        {
            float mean = side.Average(), spread = MathF.Sqrt(side.Average(score => (score - mean) * (score - mean))) + 1e-6f;
            for (int i = 0; i < mixed.Length; i++)
            {
                mixed[i] += (side[i] - mean) / spread;
            }
        }

        return mixed;
    }

    private static int[] Top(float[] scores)
    {
        int[] order = [.. Enumerable.Range(0, scores.Length)];
        Array.Sort(order, (a, b) => scores[a] != scores[b] ? scores[b].CompareTo(scores[a]) : a.CompareTo(b));
        return order[..Math.Min(Ranked, order.Length)];
    }
}
