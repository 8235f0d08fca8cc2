namespace SkMmBert;

/// <summary>What <see cref="AgentMemory"/> asks of a store: the nearest items by vector and the best by words, both within the fence.</summary>
public sealed record MemorySearch
{
    /// <summary>The question's full vector, of length 1; empty for a search by words alone.</summary>
    public ReadOnlyMemory<float> Vector { get; init; }

    /// <summary>The question's text; empty for a search by vector alone.</summary>
    public string Text { get; init; } = "";

    /// <summary>The scopes whose items may come back, each taken exactly as it is (see <see cref="MemoryScope.Visible"/>); an item of any other never does.</summary>
    public required IReadOnlyList<MemoryScope> Scopes { get; init; }

    /// <summary>Only items whose metadata has each of these pairs.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Only items written at this time or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only items written before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Most candidates wanted from the vectors, and again from the words.</summary>
    /// <value>The default is 100.</value>
    public int Take { get; init; } = 100;

    /// <summary>Whether the vectors are compared one by one at full width instead of through the funnel: slow, and never wrong.</summary>
    public bool Exact { get; init; }
}

/// <summary>An item a store proposes, with what its stages said.</summary>
/// <param name="Item">The item with its full vector.</param>
/// <param name="Trail">The stages that chose it: signs, route, retrieve, match, lexical; ranks from 1.</param>
public sealed record MemoryCandidate(MemoryItem Item, IReadOnlyList<EvidenceStage> Trail);

/// <summary>What a store found.</summary>
/// <param name="Candidates">The items of both sides without repetition, in no promised order.</param>
/// <param name="Widths">How many items entered each stage, first stage first.</param>
public sealed record MemorySearchResult(IReadOnlyList<MemoryCandidate> Candidates, IReadOnlyList<StageWidth> Widths)
{
    /// <summary>About how many items the store has in all, so that the weight of a word can be told.</summary>
    /// <value>The default is 0: not known.</value>
    public long Items { get; init; }

    /// <summary>About how many items of the store hold each term of the question.</summary>
    /// <value>The default is <see langword="null"/>: not known, and estimated from <see cref="MemoryStore.SampleAsync"/>.</value>
    public IReadOnlyDictionary<string, long>? Holders { get; init; }

    /// <summary>The answer when there is nothing to look through.</summary>
    public static MemorySearchResult Empty { get; } = new([], []);
}

/// <summary>How many items entered a stage.</summary>
/// <param name="Stage">signs, route, retrieve, match or lexical.</param>
/// <param name="Items">Number of items.</param>
public readonly record struct StageWidth(string Stage, int Items);
