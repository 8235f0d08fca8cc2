using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

/// <summary>How memory is laid out in a vector store and searched there.</summary>
public sealed record VectorStoreMemoryOptions
{
    /// <summary>Embeds texts for those who search the collection by text, not through memory: each vector property gets its fixed-dimension view.</summary>
    /// <value>The default is <see langword="null"/>: the collection is searched by vector. Stays the caller's.</value>
    public IEmbeddingGenerator<string, Embedding<float>>? Generator { get; init; }

    /// <summary>The tier that the store searches by; what it finds is ranked again at full width.</summary>
    /// <value>The default is <see cref="VectorTier.Retrieve"/>. <see cref="VectorTier.Route"/> suits a store that compares every vector, <see cref="VectorTier.Match"/> spends most.</value>
    public VectorTier FirstTier { get; init; } = VectorTier.Retrieve;

    /// <summary>How many times as many items as wanted the first tier proposes, and at least 100.</summary>
    /// <value>The default is 5.</value>
    public int Widen { get; init; } = 5;

    /// <summary>Whether keys are texts; otherwise they are <see cref="Guid"/>.</summary>
    /// <value>The default is <see langword="false"/>. Set it for stores whose keys are texts only.</value>
    public bool TextKeys { get; init; }

    /// <summary>Whether metadata is stored as a list of texts that the store filters by; otherwise metadata is compared after the search, which may then find fewer.</summary>
    /// <value>The default is <see langword="true"/>. Unset it for stores without list properties.</value>
    public bool MetadataInStore { get; init; } = true;

    /// <summary>Whether words are searched too: an index of every item's words is then kept in this process, read from the store with the first search and kept up to date with each.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool Words { get; init; } = true;

    /// <summary>Changes the definition before a collection is made from it, such as its index kind or distance function. Every distance ranks these vectors alike.</summary>
    /// <value>The default is <see langword="null"/>: the store's own choices.</value>
    public Action<VectorStoreCollectionDefinition>? Configure { get; init; }

    /// <summary>The clock that orders writes.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Widen, 1);
        ArgumentNullException.ThrowIfNull(Time);
    }
}
