namespace SkMmBert.Hosting.Tests;

/// <summary>A store that only says when it is disposed.</summary>
internal sealed class LastWordStore : MemoryStore
{
    public Action Last { get; set; } = () => { };

    public override string Name => "last words";

    public override Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task CompactAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task ReembedAsync(MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed, IProgress<double>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    protected override void Dispose(bool disposing) => Last();
}
