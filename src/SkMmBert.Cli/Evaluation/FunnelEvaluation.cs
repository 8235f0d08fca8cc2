using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Measures what each stage of a memory's funnel keeps of the exact first ten, at each width, on real vectors.</summary>
internal static class FunnelEvaluation
{
    private const int First = 10;

    /// <summary>One row for each stage and width, then one for the funnel as it is set.</summary>
    public static async Task<List<EvalRow>> RunAsync(MmBertEmbeddingGenerator generator, EvaluationSet set, int exit, int dims, CancellationToken cancellationToken)
    {
        using InMemoryStore store = new();
        AgentMemory memory = new(generator, store, new() { DropDuplicates = false });
        await memory.RememberAsync(set.Items, null, cancellationToken);
        List<MemoryItem> items = [];
        await foreach (MemoryItem item in memory.ListAsync(cancellationToken: cancellationToken))
        {
            items.Add(item);
        }

        using MemoEmbedder memo = new(generator);
        ReadOnlyMemory<float>[] questions = await memo.VectorsAsync(set.Questions.Select(question => question.Text), cancellationToken);
        AgentMemory search = new(memo, store);
        Dictionary<string, List<int>> ranks = [];   // by stage, those of the exact first ten that came through
        int exact = 0, kept = 0;
        List<double> funnelTimes = [], exactTimes = [];
        for (int q = 0; q < questions.Length; q++)
        {
            long started = Stopwatch.GetTimestamp();
            string[] nearest = Nearest(items, questions[q].Span);
            exactTimes.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            started = Stopwatch.GetTimestamp();
            IReadOnlyList<Evidence> found = await search.RecallAsync(set.Questions[q].Text, new() { Top = First, Floor = 0, Words = false, Rerank = false }, cancellationToken);
            funnelTimes.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            exact += nearest.Length;
            foreach (Evidence evidence in found.Where(evidence => nearest.Contains(evidence.Id)))
            {
                kept++;
                foreach (EvidenceStage stage in evidence.Trail.Where(stage => stage.Stage is "signs" or "route" or "retrieve"))
                {
                    ranks.TryAdd(stage.Stage, []);
                    ranks[stage.Stage].Add(stage.Rank);
                }
            }
        }

        List<EvalRow> rows = [.. ranks.SelectMany(stage => Widths(items.Count).Select(width => new EvalRow(set.Name, stage.Key, exit, dims,
            ("width", width), ("exact_kept", (double)stage.Value.Count(rank => rank <= width) / Math.Max(1, exact)), ("count", questions.Length))))];
        rows.Add(new EvalRow(set.Name, "funnel", exit, dims, ("items", items.Count), ("exact_kept", (double)kept / Math.Max(1, exact)), ("count", questions.Length),
            ("milliseconds", Median(funnelTimes)), ("exact_milliseconds", Median(exactTimes))));
        return rows;
    }

    // 10, 20, 50, 100, … up to everything.
    private static IEnumerable<int> Widths(int items)
    {
        for (int power = First; power < items; power *= 10)
        {
            foreach (int width in new[] { power, 2 * power, 5 * power }.Where(width => width < items))
            {
                yield return width;
            }
        }

        yield return items;
    }

    private static string[] Nearest(List<MemoryItem> items, ReadOnlySpan<float> question)
    {
        float[] scores = new float[items.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = TensorPrimitives.Dot(question, items[i].Vector.Span);
        }

        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(First).Select(i => items[i].Id)];
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? 0 : values[values.Count / 2];
    }
}
