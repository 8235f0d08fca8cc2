namespace SkMmBert;

/// <summary>How an <see cref="AgentMemory"/> writes and reads.</summary>
public sealed record MemoryOptions
{
    /// <summary>Puts the last few candidates of a recall in a better order; the memory does not dispose it.</summary>
    /// <value>The default is <see langword="null"/>: no reranking.</value>
    public Reranker? Reranker { get; init; }

    /// <summary>The scope of every verb that is not given one.</summary>
    /// <value>The default is <see cref="MemoryScope.Shared"/>.</value>
    public MemoryScope Scope { get; init; } = MemoryScope.Shared;

    /// <summary>Most tokens of one stored chunk; longer texts are cut at natural boundaries.</summary>
    /// <value>The default is 512. With a generator whose tokenizer is not known the tokens are estimated.</value>
    public int ChunkTokens { get; init; } = 512;

    /// <summary>Whether a text that says the same words in the same order as one already in its scope is left out, whatever its case and punctuation.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool DropDuplicates { get; init; } = true;

    /// <summary>The cosine from which a text also counts as a duplicate of one in its scope; texts with different numbers never do.</summary>
    /// <value>The default is <see langword="null"/>: only the same words are duplicates, since a small model finds "I like" and "I do not like" near each other.</value>
    public float? NearDuplicate { get; init; }

    /// <summary>What <see cref="AgentMemory.CalibrateAsync"/> found on this kind of store: floor, and whether reranking helps.</summary>
    /// <value>The default is <see langword="null"/>: the built-in floor, and reranking whenever there is a reranker.</value>
    public MemoryCalibration? Calibration { get; init; }

    /// <summary>The model's tiers, for generators that do not say theirs: vector prefixes that are good vectors themselves, ascending, the full width last.</summary>
    /// <value>The default is <see langword="null"/>: the model's own; for an unknown generator 64, 256 and the full width.</value>
    public IReadOnlyList<int>? Tiers { get; init; }

    /// <summary>Tells the time.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        if (ChunkTokens < 8)
        {
            throw new ArgumentOutOfRangeException(nameof(ChunkTokens), $"ChunkTokens is {ChunkTokens}. Expected at least 8.");
        }

        if (NearDuplicate is { } near && !(near is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(NearDuplicate), $"NearDuplicate is {near}. Expected a cosine above 0 and at most 1, such as 0.97.");
        }
    }
}

/// <summary>How one recall searches.</summary>
public sealed record RecallOptions
{
    /// <summary>Most evidence returned.</summary>
    /// <value>The default is 5.</value>
    public int Top { get; init; } = 5;

    /// <summary>The scope that asks; see <see cref="MemoryScope"/> for what it sees.</summary>
    /// <value>The default is <see langword="null"/>: the scope of the memory's options.</value>
    public MemoryScope? Scope { get; init; }

    /// <summary>Only items whose metadata has each of these pairs.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Only items written at this time or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only items written before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The least <c>fused</c> score of evidence: how sure it is, from 0 to 1, that it answers, and what is less sure does not come back. 0 returns whatever is nearest.</summary>
    /// <value>The default is <see langword="null"/>: the calibrated floor, or <see cref="AgentMemory.DefaultFloor"/>.</value>
    public float? Floor { get; init; }

    /// <summary>Whether the reranker orders the last candidates.</summary>
    /// <value>The default is <see langword="null"/>: when there is one and the calibration does not say that it does harm.</value>
    public bool? Rerank { get; init; }

    /// <summary>How many candidates the reranker reads.</summary>
    /// <value>The default is 20.</value>
    public int RerankTop { get; init; } = 20;

    /// <summary>Candidates taken from the vectors, and again from the words, before they are weighed.</summary>
    /// <value>The default is 100.</value>
    public int Candidates { get; init; } = 100;

    /// <summary>Whether the vectors take part.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool Vectors { get; init; } = true;

    /// <summary>Whether the words take part.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool Words { get; init; } = true;

    /// <summary>The age at which an item's score counts half.</summary>
    /// <value>The default is <see langword="null"/>: age does not matter.</value>
    public TimeSpan? RecencyHalfLife { get; init; }

    /// <summary>Whether vectors are compared one by one at full width instead of through the funnel.</summary>
    /// <value>The default is <see langword="false"/>.</value>
    public bool Exact { get; init; }

    internal void Validate()
    {
        if (Top < 0 || Candidates < 1 || RerankTop < 1 || RecencyHalfLife <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(
                nameof(Top), $"Top is {Top}, Candidates {Candidates}, RerankTop {RerankTop}, RecencyHalfLife {RecencyHalfLife}. Expected Top at least 0, the others above 0.");
        }

        if (!Vectors && !Words)
        {
            throw new ArgumentException("Neither Vectors nor Words take part. Expected at least one of them.", nameof(Vectors));
        }
    }
}

/// <summary>What a <see cref="AgentMemory.RememberAsync(IEnumerable{MemoryItem}, IProgress{int}, CancellationToken)"/> did.</summary>
/// <param name="Added">Texts stored.</param>
/// <param name="Duplicates">Texts left out because their scope has them already.</param>
/// <param name="Chunks">Items stored for the added texts; more than <paramref name="Added"/> where long texts were cut.</param>
public sealed record RememberResult(int Added, int Duplicates, int Chunks);
