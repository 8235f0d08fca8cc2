namespace SkMmBert;

/// <summary>What <see cref="AgentMemory.CheckAsync"/> found.</summary>
/// <param name="Items">Items in the store.</param>
/// <param name="Questions">Questions asked both ways.</param>
/// <param name="Recall">Share of the exact scan's first ten that the funnel found too.</param>
/// <param name="Widths">Items that entered each stage of the funnel, on average.</param>
/// <param name="FunnelMilliseconds">Median time of a search through the funnel.</param>
/// <param name="ExactMilliseconds">Median time of an exact search.</param>
/// <param name="Problems">Damage found in the store, one line each; empty when there is none.</param>
public sealed record MemoryCheck(
    int Items, int Questions, double Recall, IReadOnlyList<StageWidth> Widths, double FunnelMilliseconds, double ExactMilliseconds, IReadOnlyList<string> Problems);

/// <summary>A question with the items that answer it, to calibrate a memory by.</summary>
/// <param name="Text">The question.</param>
/// <param name="Answers">Ids or sources of the items that answer it; none for a question the memory cannot answer.</param>
public sealed record MemoryQuestion(string Text, IReadOnlyCollection<string> Answers)
{
    /// <summary>The scope that asks; <see langword="null"/> for the scope of the memory's options.</summary>
    public MemoryScope? Scope { get; init; }
}

/// <summary>What <see cref="AgentMemory.CalibrateAsync"/> learned about a store and its questions.</summary>
/// <param name="Floor">The least <c>fused</c> score of evidence.</param>
public sealed record MemoryCalibration(float Floor)
{
    /// <summary>Whether reranking put answers higher than without; <see langword="null"/> when there was no reranker to try.</summary>
    public bool? RerankHelps { get; init; }

    /// <summary>Share of answerable questions, among those whose answer was a candidate at all, that still get it above the floor.</summary>
    public double Found { get; init; }

    /// <summary>Share of questions without an answer that get evidence all the same.</summary>
    public double FalseEvidence { get; init; }

    /// <summary>Mean reciprocal rank of the first answer without and with reranking; the second is 0 without a reranker.</summary>
    public (double Fused, double Reranked) ReciprocalRank { get; init; }
}
