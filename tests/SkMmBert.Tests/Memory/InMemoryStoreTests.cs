namespace SkMmBert.Tests;

public sealed class InMemoryStoreTests : MemoryStoreConformance
{
    protected override MemoryStore Create() => new InMemoryStore();
}
