using SkMmBert.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(SkMmBert.Postgres.Tests.PgliteServer))]
[assembly: AssemblyFixture(typeof(SkMmBert.Postgres.Tests.RealServer))]

namespace SkMmBert.Postgres.Tests;

/// <summary>Everything every store must do, on PGlite with pgvector; every visible item is looked at.</summary>
public sealed class PgliteConformanceTests(PgliteServer server) : MemoryStoreConformance
{
    protected override MemoryStore Create() => server.NewStore();
}

/// <summary>The same, where every search that sees more than a handful of items starts at the HNSW index and the table is partitioned.</summary>
public sealed class IndexedConformanceTests(PgliteServer server) : MemoryStoreConformance
{
    protected override MemoryStore Create() => server.NewStore(new PostgresMemoryOptions { Schema = TestServer.NewSchema(), IndexFrom = 5, Partitions = 3 });
}

/// <summary>The same on a real server, where its pgvector is installed.</summary>
public sealed class RealServerConformanceTests(RealServer server) : MemoryStoreConformance
{
    protected override MemoryStore Create()
    {
        Assert.SkipUnless(server.HasVectorAsync().GetAwaiter().GetResult(), "The PostgreSQL of this machine has no pgvector; PGlite's runs these tests.");
        return server.NewStore();
    }
}
