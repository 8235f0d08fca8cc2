using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using SkMmBert.Tests;
using Xunit;
using static SkMmBert.Tests.MemoryStoreConformance;

namespace SkMmBert.Postgres.Tests;

/// <summary>Pools, cancellation, deadlocks and restarts, on a real server of this machine. It is this class's own: it is restarted.</summary>
public sealed class ServerTests(ServerTests.OwnServer server) : IClassFixture<ServerTests.OwnServer>
{
    public sealed class OwnServer : RealServer;

    private static readonly PostgresMemoryOptions Options = new() { RetryDelay = TimeSpan.FromMilliseconds(20), RetryFor = TimeSpan.FromSeconds(30) };

    [Fact]
    public async Task ReadAsync_MoreCallsThanConnections_AllTakeTheirTurn()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString + ";Maximum Pool Size=2;Application Name=pool-test");
        PostgresServer pooled = new(source, Options, "test");
        int most = 0;

        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => pooled.ReadAsync(async (connection, token) =>
        {
            using NpgsqlCommand sleep = new("SELECT pg_sleep(0.05), (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool-test')", connection);
            NpgsqlDataReader reader = await sleep.ExecuteReaderAsync(token);
            await using (reader)
            {
                await reader.ReadAsync(token);
                InterlockedMax(ref most, (int)reader.GetInt64(1));
            }

            return true;
        }, default)));

        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task ReadAsync_Cancelled_EndsTheQueryOnTheServerAndKeepsThePool()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString + ";Maximum Pool Size=1;Application Name=cancel-test");
        PostgresServer pooled = new(source, Options, "test");
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(300));
        Stopwatch time = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pooled.ReadAsync((connection, token) => PostgresSchema.ExecuteAsync(connection, "SELECT pg_sleep(60)", token), stop.Token));

        Assert.InRange(time.Elapsed.TotalSeconds, 0.2, 10);
        Assert.Equal(0L, await server.AskAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cancel-test' AND state = 'active'"));
        // The only connection of the pool is usable again.
        Assert.Equal(-1, await pooled.ReadAsync((connection, token) => PostgresSchema.ExecuteAsync(connection, "SELECT 1", token), default).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task WriteAsync_CancelledInTheTransaction_WritesNothing()
    {
        PostgresServer writes = new(server.Source, Options, "test");
        string table = await TableAsync();
        using CancellationTokenSource stop = new();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writes.WriteAsync(async (connection, token) =>
        {
            await PostgresSchema.ExecuteAsync(connection, $"INSERT INTO {table} VALUES (1)", token);
            await stop.CancelAsync();
            return true;
        }, stop.Token));

        Assert.Equal(0L, await server.AskAsync<long>($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task WriteAsync_Deadlock_IsTriedAgainUntilBothAreDone()
    {
        PostgresServer writes = new(server.Source, Options, "test");
        string table = await TableAsync();
        using (NpgsqlCommand fill = server.Source.CreateCommand($"INSERT INTO {table} VALUES (1), (2)")) await fill.ExecuteNonQueryAsync();
        int attempts = 0;
        using Barrier both = new(2);
        Task<bool> Cross(int first, int second) => writes.WriteAsync(async (connection, token) =>
        {
            bool meet = Interlocked.Increment(ref attempts) <= 2;
            await PostgresSchema.ExecuteAsync(connection, $"UPDATE {table} SET n = n WHERE n = {first}", token);
            if (meet) await Task.Run(() => both.SignalAndWait(TimeSpan.FromSeconds(10), token), token);
            await PostgresSchema.ExecuteAsync(connection, $"UPDATE {table} SET n = n WHERE n = {second}", token);
            return true;
        }, default);

        await Task.WhenAll(Cross(1, 2), Cross(2, 1)).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task ReadAsync_ServerRestartsUnderIt_CallsOnlyTakeLonger()
    {
        PostgresServer reads = new(server.Source, Options, "test");
        using CancellationTokenSource stop = new();
        int answered = 0;
        Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await reads.ReadAsync((connection, token) => PostgresSchema.ExecuteAsync(connection, "SELECT pg_sleep(0.01)", token), default);
                Interlocked.Increment(ref answered);
            }
        }))];
        await server.RestartAsync("immediate");
        await server.RestartAsync("fast");
        int before = answered;
        for (int i = 0; i < 500 && answered < before + 8; i++) await Task.Delay(20);
        await stop.CancelAsync();

        await Task.WhenAll(readers);

        Assert.True(answered >= before + 8);
    }

    /// <summary>What the store's own test of this shows with pgvector, on any PostgreSQL.</summary>
    [Fact]
    public async Task WriteAsync_ServerRestartsInTheMiddle_LosesNothingAcknowledged()
    {
        PostgresServer writes = new(server.Source, Options, "test"), second = new(server.Source, Options, "second instance");
        string table = await TableAsync();
        await PostgresSchema.ExecuteAsync(await server.Source.OpenConnectionAsync(), $"CREATE UNIQUE INDEX ON {table} (n)", default);
        ConcurrentQueue<int> acknowledged = new();
        using CancellationTokenSource stop = new();
        Task[] writers = [.. Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                int n = (w * 1_000_000) + (i * 2);
                await (w % 2 == 0 ? writes : second).WriteAsync(async (connection, token) =>
                {
                    // Two statements: half of them would be a broken transaction.
                    await PostgresSchema.ExecuteAsync(connection, $"INSERT INTO {table} VALUES ({n}) ON CONFLICT DO NOTHING", token);
                    return await PostgresSchema.ExecuteAsync(connection, $"INSERT INTO {table} VALUES ({n + 1}) ON CONFLICT DO NOTHING", token);
                }, default);
                acknowledged.Enqueue(n);
            }
        }))];
        for (int i = 0; i < 3; i++)
        {
            await Task.Delay(200);
            await server.RestartAsync(i % 2 == 0 ? "immediate" : "fast");
        }

        for (int wait = 0; wait < 600 && acknowledged.Count <= 12; wait++) await Task.Delay(50);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.True(acknowledged.Count > 10);
        int[] stored = await server.AskAsync<int[]>($"SELECT array_agg(n ORDER BY n) FROM {table}");
        Assert.Equal(acknowledged.SelectMany(n => (int[])[n, n + 1]).Order(), stored);
    }

    [Fact]
    public async Task ReadAsync_ServerStaysAway_GivesUpInWords()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Password=hidden");
        PostgresServer away = new(source, Options with { RetryFor = TimeSpan.FromSeconds(3) }, "127.0.0.1:1/x/skmmbert");

        IOException error = await Assert.ThrowsAsync<IOException>(() => away.ReadAsync((_, _) => Task.FromResult(true), default));

        Assert.Matches("The memory '127.0.0.1:1/x/skmmbert' cannot be reached after [0-9]+ attempts?: .*refused.* Check that the PostgreSQL server runs", error.Message);
        Assert.DoesNotContain("hidden", error.Message);
    }

    [Fact]
    public async Task ReadAsync_NoSuchDatabase_SaysSoAtOnce()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "missing" }.ConnectionString);
        PostgresServer wrong = new(source, Options, "test");
        Stopwatch time = Stopwatch.StartNew();

        IOException error = await Assert.ThrowsAsync<IOException>(() => wrong.ReadAsync((_, _) => Task.FromResult(true), default));

        Assert.Contains("has no such database", error.Message);
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Bind_PgvectorCannotBeMade_SaysWhatToInstall()
    {
        // Without pgvector on the server, or without the right to make it, the way out is the same.
        string name = TestServer.NewSchema();
        foreach (string sql in (string[])[$"CREATE ROLE {name} LOGIN", $"CREATE DATABASE {name}"])
        {
            using NpgsqlCommand command = server.Source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        using PostgresMemoryStore store = new(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name, Username = name }.ConnectionString);
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => store.BindAsync(Hashed.Model));

        Assert.Contains("Install pgvector 0.8 or later", error.Message);
    }

    [Fact]
    public async Task Add_ServerRestartsAgainAndAgain_NothingAcknowledgedIsLost()
    {
        Assert.SkipUnless(await server.HasVectorAsync(), "The PostgreSQL of this machine has no pgvector.");
        using PostgresMemoryStore store = server.NewStore(), reader = new PostgresMemoryStore(server.Source, new() { Schema = "unused" });
        await store.BindAsync(Hashed.Model);
        ConcurrentQueue<string> acknowledged = new();
        using CancellationTokenSource stop = new();
        Task[] writers = [.. Enumerable.Range(0, 3).Select(w => Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                string id = $"writer {w} note {i}";
                await store.AddAsync([Item(id), Item("second chunk", id: id, start: 50)]);
                acknowledged.Enqueue(id);
            }
        }))];
        for (int i = 0; i < 3; i++)
        {
            await Task.Delay(300);
            await server.RestartAsync(i % 2 == 0 ? "immediate" : "fast");
        }

        for (int wait = 0; wait < 600 && acknowledged.Count <= 12; wait++) await Task.Delay(50);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        List<string> stored = [];
        await foreach (MemoryItem item in store.ListAsync(MemoryFilter.All)) stored.Add($"{item.Id}/{item.Start}");
        Assert.True(acknowledged.Count > 10);
        Assert.Equal(acknowledged.SelectMany(id => (string[])[$"{id}/0", $"{id}/50"]).Order(), stored.Order());
    }

    [Fact]
    public async Task Add_ManyWritersOfOneId_LeaveOneVersionWhole()
    {
        Assert.SkipUnless(await server.HasVectorAsync(), "The PostgreSQL of this machine has no pgvector.");
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);

        await Parallel.ForEachAsync(Enumerable.Range(0, 60), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (v, token) =>
            await store.AddAsync([.. Enumerable.Range(0, 1 + (v % 4)).Select(c => Item($"version {v}", id: $"doc {v % 2}", start: c * 10)), Item("other", id: $"own {v}")], token));

        foreach (string id in (string[])["doc 0", "doc 1"])
        {
            List<MemoryItem> chunks = [];
            await foreach (MemoryItem item in store.ListAsync(new MemoryFilter { Ids = [id] })) chunks.Add(item);
            string version = Assert.Single(chunks.Select(c => c.Text).Distinct());
            Assert.Equal(1 + (int.Parse(version["version ".Length..]) % 4), chunks.Count);
        }

        Assert.Equal(60, await store.CountAsync(new MemoryFilter { Ids = [.. Enumerable.Range(0, 60).Select(v => $"own {v}")] }));
    }

    [Fact]
    public async Task SearchAndCount_ReplicaGiven_ReadThereAndWriteToThePrimary()
    {
        Assert.SkipUnless(await server.HasVectorAsync(), "The PostgreSQL of this machine has no pgvector.");
        int replica = await server.StartReplicaAsync();
        NpgsqlConnectionStringBuilder where = new(server.ConnectionString);
        // As in docs/postgres.md.
        await using NpgsqlMultiHostDataSource hosts = new NpgsqlDataSourceBuilder(
            $"Host=127.0.0.1:{where.Port},127.0.0.1:{replica};Database=postgres;Username=postgres;Load Balance Hosts=true;Application Name=balanced").BuildMultiHost();
        using PostgresMemoryStore store = new(
            hosts.WithTargetSession(TargetSessionAttributes.Primary), new() { Schema = TestServer.NewSchema(), Reads = hosts.WithTargetSession(TargetSessionAttributes.PreferStandby) });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([Item("written on the primary")]);
        await using NpgsqlDataSource direct = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = replica }.ConnectionString);
        async Task<T> AskReplicaAsync<T>(string sql)
        {
            using NpgsqlCommand command = direct.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync())!;
        }

        string written = await server.AskAsync<string>("SELECT pg_current_wal_lsn()::text");
        for (int i = 0; i < 500 && !await AskReplicaAsync<bool>($"SELECT pg_last_wal_replay_lsn() >= '{written}'"); i++) await Task.Delay(20);

        Assert.Single((await store.SearchAsync(Ask("primary"))).Candidates);
        Assert.Equal(1, await store.CountAsync(MemoryFilter.All));
        Assert.True(await AskReplicaAsync<bool>("SELECT pg_is_in_recovery()"));
        Assert.Contains("items", await AskReplicaAsync<string>("SELECT query FROM pg_stat_activity WHERE application_name = 'balanced'"));
        using PostgresMemoryStore readOnly = new(direct, new() { Schema = TestServer.NewSchema() });
        Assert.Contains("read-only server", (await Assert.ThrowsAsync<IOException>(() => readOnly.BindAsync(Hashed.Model))).Message);
    }

    [Fact]
    public async Task EveryVerb_RoleWithTheDocumentedRights_Works()
    {
        Assert.SkipUnless(await server.HasVectorAsync(), "The PostgreSQL of this machine has no pgvector.");
        string schema = TestServer.NewSchema();
        using PostgresMemoryStore owner = server.NewStore(new() { Schema = schema });
        await owner.BindAsync(Hashed.Model);
        using (NpgsqlCommand rights = server.Source.CreateCommand($"""
            CREATE ROLE {schema}_writer LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema}_writer; GRANT SELECT, INSERT, DELETE ON {schema}.items TO {schema}_writer;
            GRANT SELECT ON {schema}.facts TO {schema}_writer; GRANT USAGE ON {schema}.item_keys TO {schema}_writer
            """)) await rights.ExecuteNonQueryAsync();
        using PostgresMemoryStore store = new(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Username = $"{schema}_writer" }.ConnectionString, new() { Schema = schema });

        await store.BindAsync(Hashed.Model);
        await store.AddAsync([Item("written by a role with few rights")]);
        Assert.Single((await store.SearchAsync(Ask("few rights"))).Candidates);
        Assert.Equal(1, await store.RemoveAsync(MemoryFilter.All));
        UnauthorizedAccessException error = await Assert.ThrowsAsync<UnauthorizedAccessException>(() => store.ReembedAsync(
            new HashedGenerator(128, seed: 3, name: "other").Model, (_, _) => throw new IOException("not reached")));
        Assert.Contains("docs/postgres.md", error.Message);
    }

    [Fact]
    public async Task Reembed_WhileOthersWrite_EveryItemEndsWithTheNewModel()
    {
        Assert.SkipUnless(await server.HasVectorAsync(), "The PostgreSQL of this machine has no pgvector.");
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 600).Select(i => Item($"note {i}"))]);
        HashedGenerator other = new(192, seed: 5, name: "other");
        using PostgresMemoryStore changer = new(server.Source, new() { Schema = store.Name[(store.Name.LastIndexOf('/') + 1)..] });
        int added = 0;

        await changer.ReembedAsync(other.Model, async (texts, token) =>
        {
            // Someone still writes with the old model while the new one embeds.
            if (added < 3) await store.AddAsync([Item($"late note {added++}")], token);
            await Assert.ThrowsAsync<InvalidOperationException>(() => store.ReembedAsync(other.Model, (_, _) => throw new IOException("not reached"), null, token));
            return [.. texts.Select(t => (ReadOnlyMemory<float>)other.Vector(t))];
        });

        Assert.Equal(603, await changer.CountAsync(MemoryFilter.All));
        await foreach (MemoryItem item in changer.ListAsync(MemoryFilter.All)) Assert.Equal(other.Vector(item.Text), item.Vector.ToArray());
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.AddAsync([Item("too late")]));
    }

    private async Task<string> TableAsync()
    {
        string table = TestServer.NewSchema();
        using NpgsqlCommand command = server.Source.CreateCommand($"CREATE TABLE {table} (n integer)");
        await command.ExecuteNonQueryAsync();
        return table;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = most; value > seen; seen = most) Interlocked.CompareExchange(ref most, value, seen);
    }
}
