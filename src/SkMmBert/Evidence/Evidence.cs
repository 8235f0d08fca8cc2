namespace SkMmBert;

/// <summary>A text with where it came from and the trail of stages that chose it.</summary>
public sealed record Evidence
{
    /// <summary>Identifies the item within its store.</summary>
    public required string Id { get; init; }

    /// <summary>The text itself: <c>Start..End</c> of the source.</summary>
    public required string Text { get; init; }

    /// <summary>Where the text came from, such as a file, a URL or a conversation turn.</summary>
    public string? Source { get; init; }

    /// <summary>First UTF-16 unit of the text within its source.</summary>
    public int Start { get; init; }

    /// <summary>UTF-16 unit after the last within the source.</summary>
    public int End { get; init; }

    /// <summary>Score of the last stage that ranked it; higher is more relevant, the scale is that stage's.</summary>
    public float Score { get; init; }

    /// <summary>The stages that chose it, first to last.</summary>
    public IReadOnlyList<EvidenceStage> Trail { get; init; } = [];

    /// <summary>What the writer attached to the item.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
}

/// <summary>One step of a search with the score and rank it gave.</summary>
/// <param name="Stage">signs, route, retrieve, match, lexical, fused, rerank, or a note such as <c>rerank failed: …</c>.</param>
/// <param name="Score">The score that stage gave.</param>
/// <param name="Rank">The rank that stage gave, from 1.</param>
public readonly record struct EvidenceStage(string Stage, float Score, int Rank);
