namespace SkMmBert;

/// <summary>From weighed candidates to evidence: floor, recency, reranking, and the trail of it all.</summary>
internal static class MemoryEvidence
{
    public static List<Evidence> Rank(List<FusedCandidate> fused, RecallOptions options, float floor, DateTimeOffset now)
    {
        List<Evidence> evidence = [];
        foreach ((MemoryCandidate candidate, float score) in fused)
        {
            if (floor > 0 && score < floor)
            {
                break;
            }

            MemoryItem item = candidate.Item;
            evidence.Add(new Evidence
            {
                Id = item.Id,
                Text = item.Text,
                Source = item.Source,
                Start = item.Start,
                End = item.End,
                Score = score,
                Trail = [.. candidate.Trail, new EvidenceStage("fused", score, evidence.Count + 1)],
                Metadata = item.Metadata,
            });
        }

        if (options.RecencyHalfLife is not { } halfLife)
        {
            return evidence;
        }

        // Relevance decides what comes back, age only in which order: the floor was applied before.
        float[] scores = [.. evidence.Select((found, i) => found.Score * (float)Math.Pow(0.5, Math.Max(0, (now - fused[i].Candidate.Item.Time!.Value) / halfLife)))];
        return Reorder(evidence, scores, "recency");
    }

    public static async Task<List<Evidence>> RerankAsync(Reranker reranker, string question, List<Evidence> evidence, int top, CancellationToken cancellationToken)
    {
        int count = Math.Min(top, evidence.Count);
        if (count == 0)
        {
            return evidence;
        }

        try
        {
            float[] scores = await reranker.ScoreAsync(question, [.. evidence.Take(count).Select(found => found.Text)], cancellationToken).ConfigureAwait(false);
            if (scores.Length != count)
            {
                throw new InvalidOperationException($"the reranker returned {scores.Length} scores for {count} texts");
            }

            return [.. Reorder(evidence.GetRange(0, count), scores, "rerank"), .. evidence.Skip(count)];
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // A search without its last stage is better than none; the trail says what happened.
            string note = $"rerank failed: {error.Message.ReplaceLineEndings(" ")}";
            return [.. evidence.Select((found, i) => found with { Trail = [.. found.Trail, new EvidenceStage(note, found.Score, i + 1)] })];
        }
    }

    private static List<Evidence> Reorder(List<Evidence> evidence, float[] scores, string stage) =>
        [.. Enumerable.Range(0, evidence.Count).OrderByDescending(i => scores[i]).Select((i, rank) =>
            evidence[i] with { Score = scores[i], Trail = [.. evidence[i].Trail, new EvidenceStage(stage, scores[i], rank + 1)] })];
}
