namespace SkMmBert;

/// <summary>Chooses the store and the options of a host's memory.</summary>
/// <remarks>Used inside <see cref="MmBertBuilder.AddMemory"/>; the last choice counts. Not thread-safe.</remarks>
/// <example><code>
/// services.AddMmBert().AddMemory(m => m.UseSqlite("memory.db").Configure(o => o with { ChunkTokens = 256 }));
/// </code></example>
public sealed class MmBertMemoryBuilder
{
    private Func<MemoryOptions, MemoryOptions> _configure = options => options;

    internal MmBertMemoryBuilder()
    {
    }

    internal Func<IServiceProvider, MemoryStore> Store { get; private set; } = _ => new InMemoryStore();

    /// <summary>Keeps items in a store of any kind; without a call they are kept in the process's memory.</summary>
    /// <param name="store">Makes the store, once, when memory is first needed. The container disposes it.</param>
    public MmBertMemoryBuilder UseStore(Func<IServiceProvider, MemoryStore> store)
    {
        ArgumentNullException.ThrowIfNull(store);
        Store = store;
        return this;
    }

    /// <summary>Changes how memory writes and reads.</summary>
    /// <param name="configure">Gets the options so far, which hold the container's clock and the reranker of the same <c>AddMmBert</c> where one was added.</param>
    public MmBertMemoryBuilder Configure(Func<MemoryOptions, MemoryOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Func<MemoryOptions, MemoryOptions> before = _configure;
        _configure = options => configure(before(options));
        return this;
    }

    internal MemoryOptions Options(MemoryOptions options) => _configure(options);
}
