namespace SkMmBert;

/// <summary>Keeps memory items and finds them again by vector and by words.</summary>
/// <remarks>
/// <para>A store never embeds and never decides: <see cref="AgentMemory"/> brings the vectors and weighs what the store proposes.
/// Stores are used by being handed to an <see cref="AgentMemory"/>, which calls <see cref="BindAsync"/> first.</para>
/// <para>Thread-safe: any number of calls at once. Whoever opened a store disposes it.</para>
/// </remarks>
public abstract class MemoryStore : IDisposable
{
    /// <summary>What messages call the store, such as a file name.</summary>
    public abstract string Name { get; }

    /// <summary>Ties the store to a model: creates what is missing, or checks that the vectors inside come from the same one. Cheap when repeated.</summary>
    /// <param name="model">The model all vectors of this program come from.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="InvalidOperationException">The vectors inside come from another model; the message names both.</exception>
    public abstract Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default);

    /// <summary>Writes items, all or none; when the call returns they survive a crash (as far as the store survives one at all).</summary>
    /// <remarks>For every scope and id among the items, what was stored under that scope and id before is replaced.</remarks>
    /// <param name="items">Complete items: id, scope, time and vector set.</param>
    /// <param name="cancellationToken">Stops the work; nothing is written then.</param>
    public abstract Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default);

    /// <summary>Finds the nearest items by vector, whose trail ends with a <c>match</c> stage (the cosine at full width), and the best by words, which carry a <c>lexical</c> stage (BM25).</summary>
    /// <param name="search">The question and the fence.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public abstract Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default);

    /// <summary>Lists items with their vectors, oldest write first.</summary>
    /// <param name="filter">Which items.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    public abstract IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, CancellationToken cancellationToken = default);

    /// <summary>Counts items.</summary>
    /// <param name="filter">Which items.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public abstract Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default);

    /// <summary>Removes items and says how many.</summary>
    /// <param name="filter">Which items.</param>
    /// <param name="cancellationToken">Stops the work; nothing is removed then.</param>
    public abstract Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default);

    /// <summary>Takes up to <paramref name="count"/> items spread evenly over the store, for calibration and checks; the same items while nothing changes.</summary>
    /// <param name="count">Most items returned.</param>
    /// <param name="scopes">The scopes to take from, each exactly as it is; <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public abstract Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default);

    /// <summary>Gives back the room of removed items.</summary>
    /// <param name="cancellationToken">Stops the work.</param>
    public abstract Task CompactAsync(CancellationToken cancellationToken = default);

    /// <summary>Looks for damage; empty when there is none. May read everything.</summary>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One line for each problem.</returns>
    public virtual Task<IReadOnlyList<string>> FindProblemsAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <summary>Replaces every vector by another model's and ties the store to that model: the way out of a refused store. A crash in between leaves the store as it was.</summary>
    /// <param name="model">The new model.</param>
    /// <param name="embed">Embeds texts, in order, with the new model.</param>
    /// <param name="progress">Told how much is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the work; the store stays with its model then.</param>
    public abstract Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the store holds.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Checks items before they are written, so that every store refuses the same ones with the same words.</summary>
    /// <param name="items">The items of an <see cref="AddAsync"/>.</param>
    /// <param name="model">The model the store is tied to; <see langword="null"/> if it is not yet.</param>
    /// <exception cref="InvalidOperationException">The store is not tied to a model.</exception>
    /// <exception cref="ArgumentException">An item lacks its id, scope, time or a vector of the model's width with finite numbers.</exception>
    protected static void Validate(IReadOnlyList<MemoryItem> items, MemoryModel? model)
    {
        ArgumentNullException.ThrowIfNull(items);
        RequireBound(model);
        for (int i = 0; i < items.Count; i++)
        {
            MemoryItem item = items[i];
            if (item.Id.Length == 0 || item.Scope is null || item.Time is null)
            {
                throw new ArgumentException($"Item {i} ('{item.Id}') lacks its id, scope or time. Stores take complete items: add it through AgentMemory.RememberAsync.", nameof(items));
            }

            if (item.Vector.Length != model!.Dimensions || !float.IsFinite(System.Numerics.Tensors.TensorPrimitives.Sum(item.Vector.Span)))
            {
                throw new ArgumentException(
                    $"Item {i} ('{item.Id}') has a vector of {item.Vector.Length} numbers{(item.Vector.Length == model.Dimensions ? ", not all of them finite" : "")}. " +
                    $"Expected {model.Dimensions} finite numbers from '{model.Name}'.", nameof(items));
            }
        }
    }

    /// <summary>Checks that the store is tied to a model.</summary>
    /// <param name="model">The model, or <see langword="null"/>.</param>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    protected static void RequireBound(MemoryModel? model)
    {
        if (model is null)
        {
            throw new InvalidOperationException("The store is not tied to a model yet. Use it through AgentMemory, or call BindAsync first.");
        }
    }
}
