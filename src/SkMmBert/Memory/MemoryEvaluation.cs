using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Quality of one way to search a set.</summary>
/// <param name="Set">The set.</param>
/// <param name="Search">lexical, a tier's length, funnel, fused or rerank.</param>
/// <param name="Questions">Number of questions.</param>
/// <param name="Ndcg10">nDCG of the first ten texts.</param>
/// <param name="Recall10">Share of the answering texts among the first ten.</param>
/// <param name="Hit1">Share of questions whose first text answers.</param>
/// <param name="Hit5">Share of questions with an answer among the first five.</param>
/// <param name="Milliseconds">Median time of a question, its embedding included; 0 where vectors were compared outside of a store.</param>
internal sealed record RetrievalQuality(string Set, string Search, int Questions, double Ndcg10, double Recall10, double Hit1, double Hit5, double Milliseconds)
{
    /// <summary>Mean of one over the place of the first answer among the first ten.</summary>
    public double Mrr10 { get; init; }
}

/// <summary>How well a memory knows that it does not know.</summary>
/// <param name="Set">The set.</param>
/// <param name="Questions">Questions, each asked with its answer in the memory and with all of its conversation gone.</param>
/// <param name="Found5">Share of answerable questions with the answer among the first five.</param>
/// <param name="Floor95">The floor that 95 % of those found clear.</param>
/// <param name="FalseEvidence95">Share of unanswerable questions that get evidence at that floor.</param>
/// <param name="KeptAtDefault">Share of those found that clear the default floor.</param>
/// <param name="FalseAtDefault">Share of unanswerable questions that get evidence at the default floor.</param>
internal sealed record AnswerQuality(string Set, int Questions, double Found5, double Floor95, double FalseEvidence95, double KeptAtDefault, double FalseAtDefault);

/// <summary>Measures a memory on sets with known answers.</summary>
internal static class MemoryEvaluation
{
    private const int First = 10;

    /// <summary>Every way to search a set, each on all questions.</summary>
    public static async IAsyncEnumerable<RetrievalQuality> RetrievalAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, Reranker? reranker, EvaluationSet set, IProgress<double>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using InMemoryStore store = new();
        AgentMemory memory = await FillAsync(generator, reranker, store, set, progress, cancellationToken).ConfigureAwait(false);
        RecallOptions fused = new() { Top = 100, Floor = 0, Rerank = false };
        yield return await RecallAsync(memory, set, "lexical", fused with { Vectors = false }, cancellationToken).ConfigureAwait(false);
        List<MemoryItem> items = [];
        await foreach (MemoryItem item in memory.ListAsync(cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            items.Add(item);
        }

        GeneratedEmbeddings<Embedding<float>> questions = await generator.GenerateAsync(set.Questions.Select(question => question.Text), cancellationToken: cancellationToken).ConfigureAwait(false);
        foreach (int tier in memory.Tiers)
        {
            yield return Measure(set, $"{tier}", Enumerable.Range(0, questions.Count).Select(q => (Nearest(items, questions[q].Vector, tier), 0.0)));
        }

        yield return await RecallAsync(memory, set, "funnel", fused with { Words = false }, cancellationToken).ConfigureAwait(false);
        yield return await RecallAsync(memory, set, "fused", fused, cancellationToken).ConfigureAwait(false);
        if (reranker is not null)
        {
            yield return await RecallAsync(memory, set, "rerank", fused with { Rerank = true }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The set's questions with and without their answers.</summary>
    public static async Task<AnswerQuality> AnswersAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, EvaluationSet set, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        using InMemoryStore store = new();
        AgentMemory memory = await FillAsync(generator, null, store, set, progress, cancellationToken).ConfigureAwait(false);
        Dictionary<string, string> conversations = set.Items.ToDictionary(item => item.Id, item => item.Metadata.GetValueOrDefault(EvaluationSet.Conversation, item.Id));
        List<float> found = [], nothing = [];
        foreach (EvaluationQuestion question in set.Questions)
        {
            RecallOptions asked = new() { Top = 5, Floor = 0 };
            IReadOnlyList<Evidence> evidence = await memory.RecallAsync(question.Text, asked, cancellationToken).ConfigureAwait(false);
            if (evidence.FirstOrDefault(item => question.Relevant.ContainsKey(item.Id)) is { } answer)
            {
                found.Add(answer.Score);
            }

            // As if the conversations that answer had never been: what is then the best?
            HashSet<string> gone = [.. question.Relevant.Keys.Where(conversations.ContainsKey).Select(id => conversations[id])];
            IReadOnlyList<Evidence> without = await memory.RecallAsync(question.Text, asked with { Candidates = 200 }, item => !gone.Contains(conversations[item.Id]), cancellationToken).ConfigureAwait(false);
            nothing.Add(without.Count == 0 ? 0 : without[0].Score);
        }

        found.Sort();
        float floor = found.Count == 0 ? 0 : found[found.Count / 20];
        double Share(List<float> scores, float least) => scores.Count == 0 ? 0 : (double)scores.Count(score => score >= least) / scores.Count;
        return new AnswerQuality(
            set.Name, set.Questions.Count, (double)found.Count / Math.Max(1, set.Questions.Count), floor, Share(nothing, floor), Share(found, AgentMemory.DefaultFloor), Share(nothing, AgentMemory.DefaultFloor));
    }

    private static async Task<AgentMemory> FillAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, Reranker? reranker, InMemoryStore store, EvaluationSet set, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        AgentMemory memory = new(generator, store, new() { Reranker = reranker, DropDuplicates = false });
        await memory.RememberAsync(set.Items, progress is null ? null : new Share(progress, set.Items.Count), cancellationToken).ConfigureAwait(false);
        return memory;
    }

    private static async Task<RetrievalQuality> RecallAsync(AgentMemory memory, EvaluationSet set, string search, RecallOptions options, CancellationToken cancellationToken)
    {
        List<(IReadOnlyList<string>, double)> answers = [];
        foreach (EvaluationQuestion question in set.Questions)
        {
            long start = TimeProvider.System.GetTimestamp();
            IReadOnlyList<Evidence> evidence = await memory.RecallAsync(question.Text, options, cancellationToken).ConfigureAwait(false);
            answers.Add(([.. evidence.Select(item => item.Id).Distinct().Take(First)], TimeProvider.System.GetElapsedTime(start).TotalMilliseconds));
        }

        return Measure(set, search, answers);
    }

    private static IReadOnlyList<string> Nearest(List<MemoryItem> items, ReadOnlyMemory<float> question, int tier)
    {
        TopScored best = new(4 * First);
        for (int i = 0; i < items.Count; i++)
        {
            best.Offer(TensorPrimitives.CosineSimilarity(question.Span[..tier], items[i].Vector.Span[..tier]), i);
        }

        return [.. best.BestFirst().Select(scored => items[scored.Slot].Id).Distinct().Take(First)];
    }

    private static RetrievalQuality Measure(EvaluationSet set, string search, IEnumerable<(IReadOnlyList<string> Ids, double Milliseconds)> answers)
    {
        double ndcg = 0, recall = 0, hit1 = 0, hit5 = 0, reciprocal = 0;
        List<double> times = [];
        int at = 0;
        foreach ((IReadOnlyList<string> ids, double milliseconds) in answers)
        {
            IReadOnlyDictionary<string, double> relevant = set.Questions[at++].Relevant;
            double gain = 0, ideal = 0;
            for (int i = 0; i < ids.Count; i++)
            {
                gain += relevant.GetValueOrDefault(ids[i]) / Math.Log2(i + 2);
            }

            foreach ((double best, int i) in relevant.Values.OrderDescending().Take(First).Select((best, i) => (best, i)))
            {
                ideal += best / Math.Log2(i + 2);
            }

            ndcg += ideal == 0 ? 0 : gain / ideal;
            recall += relevant.Count == 0 ? 0 : (double)ids.Count(relevant.ContainsKey) / relevant.Count;
            hit1 += ids.Take(1).Any(relevant.ContainsKey) ? 1 : 0;
            hit5 += ids.Take(5).Any(relevant.ContainsKey) ? 1 : 0;
            reciprocal += Enumerable.Range(0, ids.Count).Where(i => relevant.ContainsKey(ids[i])).Select(i => 1.0 / (i + 1)).FirstOrDefault();
            times.Add(milliseconds);
        }

        int count = Math.Max(1, set.Questions.Count);
        times.Sort();
        return new(set.Name, search, set.Questions.Count, ndcg / count, recall / count, hit1 / count, hit5 / count, times.Count == 0 ? 0 : times[times.Count / 2]) { Mrr10 = reciprocal / count };
    }

    private sealed class Share(IProgress<double> progress, int all) : IProgress<int>
    {
        public void Report(int value) => progress.Report((double)value / Math.Max(1, all));
    }
}
