using System.Numerics.Tensors;
using Npgsql;
using SkMmBert.Tests;
using Xunit;
using static SkMmBert.Tests.MemoryStoreConformance;

namespace SkMmBert.Postgres.Tests;

/// <summary>What is PostgreSQL's own: schema, index, partitions, several stores and instances in one database.</summary>
public sealed class StoreTests(PgliteServer server)
{
    [Fact]
    public async Task Bind_OlderSchemaWithItems_IsMigrated()
    {
        using PostgresMemoryStore old = server.NewStore();
        string schema = Schema(old);
        await old.BindAsync(Hashed.Model, version: 1, default);
        await old.AddAsync([Item("kept from before")]);
        Assert.Equal("1", await server.AskAsync<string>($"SELECT value FROM {schema}.facts WHERE name = 'version'"));

        using PostgresMemoryStore store = new(server.Source, new() { Schema = schema });
        await store.BindAsync(Hashed.Model);

        Assert.Equal("2", await server.AskAsync<string>($"SELECT value FROM {schema}.facts WHERE name = 'version'"));
        Assert.Equal(1L, await server.AskAsync<long>($"SELECT count(*) FROM pg_indexes WHERE schemaname = '{schema}' AND indexname = 'items_metadata'"));
        Assert.Equal("kept from before", Assert.Single((await store.SearchAsync(Ask("kept"))).Candidates).Item.Text);
    }

    [Fact]
    public async Task Bind_NewerSchema_IsRefused()
    {
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        using (NpgsqlCommand command = server.Source.CreateCommand($"UPDATE {Schema(store)}.facts SET value = '99' WHERE name = 'version'")) await command.ExecuteNonQueryAsync();

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => store.BindAsync(Hashed.Model));

        Assert.Contains("schema version 99; this program knows 2. Update SkMmBert.Postgres", error.Message);
    }

    [Fact]
    public async Task Bind_ManyAtOnce_MakeOneStore()
    {
        string schema = TestServer.NewSchema();
        PostgresMemoryStore[] stores = [.. Enumerable.Range(0, 4).Select(_ => new PostgresMemoryStore(server.Source, new() { Schema = schema }))];

        await Task.WhenAll(stores.Select(store => store.BindAsync(Hashed.Model)));

        await stores[0].AddAsync([Item("shared")]);
        foreach (PostgresMemoryStore store in stores) Assert.Equal(1, await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task TwoStores_OneDatabase_DoNotMix()
    {
        using PostgresMemoryStore first = server.NewStore(), second = server.NewStore();
        HashedGenerator other = new(192, seed: 9, name: "other");
        await first.BindAsync(Hashed.Model);
        await second.BindAsync(other.Model);

        await first.AddAsync([Item("in the first")]);
        await second.AddAsync([Item("in the second", model: other)]);

        Assert.Equal("in the first", Assert.Single((await first.SearchAsync(Ask("in the"))).Candidates).Item.Text);
        Assert.Equal(1, await second.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task TwoInstances_OneStore_SeeEachOthersItemsAtOnce()
    {
        using PostgresMemoryStore first = server.NewStore();
        using PostgresMemoryStore second = new(server.Source, new() { Schema = Schema(first) });
        await first.BindAsync(Hashed.Model);
        await second.BindAsync(Hashed.Model);

        for (int i = 0; i < 5; i++)
        {
            await first.AddAsync([Item($"note {i}")]);
            Assert.Contains((await second.SearchAsync(Ask($"note {i}"))).Candidates, c => c.Item.Id == $"note {i}");
            await second.RemoveAsync(new MemoryFilter { Ids = [$"note {i}"] });
            Assert.Equal(0, await first.CountAsync(MemoryFilter.All));
        }
    }

    [Fact]
    public async Task EveryVerb_AfterAnotherInstanceChangedTheModel_RefusesNamingBoth()
    {
        using PostgresMemoryStore left = server.NewStore();
        using PostgresMemoryStore changer = new(server.Source, new() { Schema = Schema(left) });
        await left.BindAsync(Hashed.Model);
        await left.AddAsync([Item("kept")]);
        // The same width: nothing but the fingerprint tells them apart.
        HashedGenerator other = new(256, seed: 5, name: "other");
        await changer.ReembedAsync(other.Model, (texts, _) => Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. texts.Select(t => (ReadOnlyMemory<float>)other.Vector(t))]));

        foreach (Func<Task> verb in (Func<Task>[])[() => left.AddAsync([Item("new")]), () => left.SearchAsync(Ask("kept"))])
        {
            InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(verb);
            Assert.Contains("'hashed'", error.Message);
            Assert.Contains("'other'", error.Message);
        }

        Assert.Equal(1, await changer.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Reembed_BrokenOff_GoesOnWithoutEmbeddingTwice()
    {
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 600).Select(i => Item($"note {i}"))]);
        HashedGenerator other = new(128, seed: 5, name: "other");
        List<string> embedded = [];
        Task<IReadOnlyList<ReadOnlyMemory<float>>> Embed(IReadOnlyList<string> texts, CancellationToken cancellationToken)
        {
            if (embedded.Count is >= 256 and < 300) embedded.Add("failed");
            else embedded.AddRange(texts);
            return embedded[^1] == "failed" && embedded.Count < 300
                ? throw new IOException("model gone")
                : Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. texts.Select(t => (ReadOnlyMemory<float>)other.Vector(t))]);
        }

        await Assert.ThrowsAsync<IOException>(() => store.ReembedAsync(other.Model, Embed));
        embedded.Clear();
        embedded.AddRange(Enumerable.Repeat("padding", 300));
        await store.ReembedAsync(other.Model, Embed);

        Assert.Equal(344, embedded.Count - 300);
        Assert.Equal(0L, await server.AskAsync<long>($"SELECT count(*) FROM pg_tables WHERE schemaname = '{Schema(store)}' AND tablename = 'reembedding'"));
    }

    [Fact]
    public async Task Search_AboveIndexFrom_StartsAtTheIndexAndKeepsTheNearest()
    {
        MemoryItem[] items = [.. Enumerable.Range(0, 2_500).Select(i => Item($"note {i} about w{i % 97} and w{i % 89} with w{i % 83}", scope: new() { User = i % 50 == 0 ? "rare" : "usual" }))];
        using PostgresMemoryStore store = server.NewStore(new() { Schema = TestServer.NewSchema(), IndexFrom = 100 });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync(items);
        int kept = 0;
        for (int q = 0; q < 10; q++)
        {
            float[] question = Hashed.Vector($"w{q} w{q * 3} w{q * 2}");
            MemorySearchResult result = await store.SearchAsync(Ask("", new() { User = "usual" }, words: false) with { Vector = question });
            Assert.Equal(["route", "retrieve", "match"], result.Widths.Select(w => w.Stage));
            Assert.Equal((1_000, 300), (result.Widths[0].Items, result.Widths[2].Items));
            Assert.All(result.Candidates, c => Assert.Equal(("usual", "route"), (c.Item.Scope!.User, c.Trail[0].Stage)));
            float tenth = items.Where(i => i.Scope!.User == "usual").Select(i => TensorPrimitives.Dot<float>(question, i.Vector.Span)).OrderDescending().ElementAt(9);
            kept += result.Candidates.Count(c => c.Trail[^1].Score >= tenth - 0.002f);
        }

        Assert.True(kept >= 98, $"{kept} of 100 nearest found");
        // Words that nearly all hold are weighed by a sample, and decide little.
        MemorySearchResult words = await store.SearchAsync(Ask("a note about w5", new() { User = "usual" }, vector: false));
        Assert.Equal(10, words.Candidates.Count);
        Assert.All(words.Candidates, c => Assert.Contains("w5", c.Item.Text.Split(' ')));
        // Few are visible: they are looked at one by one, and all come back.
        MemorySearchResult rare = await store.SearchAsync(Ask("", new() { User = "rare" }, take: 1_000, words: false) with { Vector = Hashed.Vector("w1") });
        Assert.Equal(50, rare.Candidates.Count);
        Assert.Equal("signs", rare.Widths[0].Stage);
    }

    [Fact]
    public async Task Search_WordsThatFindTooMany_RankWhatRarerWordsFind()
    {
        using PostgresMemoryStore store = server.NewStore(new() { Schema = TestServer.NewSchema(), WordHits = 1 });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 300).Select(i => Item($"the meeting of the team was on day {i}")), Item("a zebra on the meeting day"), Item("one zebra more among many other animals")]);

        MemorySearchResult both = await store.SearchAsync(Ask("the zebra day", take: 2, vector: false));
        MemorySearchResult common = await store.SearchAsync(Ask("the day", take: 2, vector: false));

        Assert.Equal(["a zebra on the meeting day", "one zebra more among many other animals"], both.Candidates.OrderBy(c => c.Trail[0].Rank).Select(c => c.Item.Text));
        Assert.Equal(2, common.Candidates.Count);
        Assert.All(common.Candidates, c => Assert.Contains("the", c.Item.Text));
    }

    [Fact]
    public async Task VectorIndex_OfAStore_AnswersTheFirstStage()
    {
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 400).Select(i => Item($"note {i}"))]);

        string plan = await server.AskAsync<string>($"SET enable_seqscan = off; EXPLAIN (FORMAT JSON) SELECT key FROM {Schema(store)}.items ORDER BY route <#> (SELECT route FROM {Schema(store)}.items LIMIT 1) LIMIT 10");

        await server.AskAsync<string>("SET enable_seqscan = on; SELECT ''");
        Assert.Contains("items_route", plan);
    }

    [Fact]
    public async Task Bind_Partitions_SpreadScopesAndSearchOnlyTheirs()
    {
        using PostgresMemoryStore store = server.NewStore(new() { Schema = TestServer.NewSchema(), Partitions = 4 });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync([.. Enumerable.Range(0, 60).Select(i => Item($"note {i}", scope: new() { User = $"u{i % 12}" }))]);

        long used = await server.AskAsync<long>($"SELECT count(DISTINCT tableoid) FROM {Schema(store)}.items");
        string plan = await server.AskAsync<string>($"EXPLAIN (FORMAT JSON) SELECT * FROM {Schema(store)}.items WHERE application = '' AND agent = '' AND person = 'u3' AND session = ''");

        Assert.InRange(used, 2, 4);
        Assert.Single(plan.Split("\"Relation Name\"").Skip(1));
        Assert.Equal(5, (await store.SearchAsync(Ask("note", new() { User = "u3" }, take: 100))).Candidates.Count);
        await store.CompactAsync();
    }

    [Theory]
    [InlineData(0x0000, " inside")]
    [InlineData(0xD83D, " inside")]
    [InlineData(0xD83D, "")]
    [InlineData(0xDE86, "")]
    public async Task Add_TextPostgresCannotStore_IsRefusedBeforeAnythingIsWritten(int unit, string after)
    {
        string text = "before " + (char)unit + after;
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);

        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => store.AddAsync([Item("good"), Item("bad") with { Metadata = new Dictionary<string, string> { ["key"] = text } }]));

        Assert.Contains("Item 1 ('bad') holds U+0000 or half of a surrogate pair", error.Message);
        Assert.Equal(0, await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Add_WholeSurrogatePairsAndLongTexts_ComeBack()
    {
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        MemoryItem item = Item("🚆 " + string.Join(' ', Enumerable.Range(0, 3_000).Select(i => $"word{i % 700}")) + " 🚆", id: "long");

        await store.AddAsync([item, Item("short one")]);

        Assert.Equal(item, Assert.Single((await store.SearchAsync(Ask("word699 word5", vector: false))).Candidates).Item);
    }

    [Fact]
    public async Task Search_MissingExtensionOrSchema_IsMadeOnBind()
    {
        using PostgresMemoryStore store = server.NewStore();

        await store.BindAsync(Hashed.Model);

        Assert.Equal("vector", await server.AskAsync<string>("SELECT extname::text FROM pg_extension WHERE extname = 'vector'"));
        Assert.Equal(5L, await server.AskAsync<long>($"SELECT count(*) FROM information_schema.columns WHERE table_schema = '{Schema(store)}' AND table_name = 'items' AND column_name IN ('vector', 'signs', 'route', 'retrieve', 'words')"));
    }

    [Fact]
    public async Task RecallAsync_MemoryOnPostgres_GivesEvidenceWithItsTrail()
    {
        using PostgresMemoryStore store = server.NewStore();
        AgentMemory memory = new(Hashed, store, new() { Tiers = Hashed.Model.Tiers });
        MemoryScope ada = new() { User = "ada" };
        await memory.RememberAsync([.. Enumerable.Range(0, 30).Select(i => new MemoryItem { Text = $"A remark about subject {i}.", Scope = ada })]);
        await memory.RememberAsync([new MemoryItem { Text = "Ada prefers trains to planes.", Source = "chat/17", Scope = ada }]);

        IReadOnlyList<Evidence> found = await memory.RecallAsync("trains or planes for Ada", new() { Scope = ada });

        Assert.Equal(("Ada prefers trains to planes.", "chat/17"), (found[0].Text, found[0].Source));
        Assert.Contains(found[0].Trail, s => s is { Stage: "match", Rank: 1 });
        Assert.Contains(found[0].Trail, s => s is { Stage: "lexical", Rank: 1 });
        Assert.Empty(await memory.RecallAsync("trains or planes for Ada", new() { Scope = new() { User = "bob" } }));
        Assert.Equal(31, await memory.ForgetAsync(new MemoryFilter { Scope = ada }));
        Assert.Empty(await memory.RecallAsync("trains or planes for Ada", new() { Scope = ada }));
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("a; drop schema public")]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("\"quoted\"")]
    public void PostgresMemoryStore_SchemaNameThatIsNone_IsRefused(string schema)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new PostgresMemoryStore("Host=nowhere", new() { Schema = schema }));
        Assert.Contains("Expected lower-case letters", error.Message);
    }

    [Fact]
    public async Task Add_LongSourceManyWordsOrLongId_StoredOrRefused()
    {
        using PostgresMemoryStore store = server.NewStore();
        await store.BindAsync(Hashed.Model);
        Random random = new(1);
        string huge = string.Join(' ', Enumerable.Range(0, 90_000).Select(i => $"{i}x{random.NextInt64():x}"));
        MemoryItem item = Item("short") with { Id = "huge", Text = huge, End = huge.Length, Source = new string('s', 20_000) };

        await store.AddAsync([item]);

        Assert.Equal(item, Assert.Single((await store.SearchAsync(Ask(huge[..huge.IndexOf(' ')], vector: false))).Candidates).Item);
        Assert.Equal(1, await store.CountAsync(new MemoryFilter { Source = item.Source }));
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => store.AddAsync([Item("x", id: new string('é', 1_001))]));
        Assert.Contains("an id and scope of 2002 bytes", error.Message);
    }

    [Theory]
    [InlineData("postgres://me:p%40ss@db.example:5433/agents?schema=crew&sslmode=Require", "db.example:5433/agents/crew")]
    [InlineData("postgresql://db.example/agents", "db.example:5432/agents/skmmbert")]
    [InlineData("Host=db.example;Port=5433;Database=agents;Username=me;Password=hidden", "db.example:5433/agents/skmmbert")]
    public void PostgresMemoryStore_AddressOrConnectionString_NamesServerDatabaseAndSchema(string connection, string name)
    {
        using PostgresMemoryStore store = new(connection);
        Assert.Equal(name, store.Name);
    }

    [Theory]
    [InlineData("postgres://")]
    [InlineData("postgres://me:hidden@/agents")]
    [InlineData("postgres://me:hidden@db.example/agents?nonsense=1")]
    [InlineData("postgres://db.example/agents?schema=No;")]
    [InlineData("memory.db")]
    public void PostgresMemoryStore_UnreadableAddress_IsRefusedWithoutShowingThePassword(string connection)
    {
        ArgumentException error = Assert.ThrowsAny<ArgumentException>(() => new PostgresMemoryStore(connection));
        Assert.DoesNotContain("hidden", error.Message);
    }

    [Fact]
    public void Name_OfAStore_HidesThePassword()
    {
        using PostgresMemoryStore store = new("Host=db.example;Port=5433;Database=agents;Username=me;Password=hidden");
        Assert.Equal("db.example:5433/agents/skmmbert", store.Name);
    }

    private static string Schema(MemoryStore store) => store.Name[(store.Name.LastIndexOf('/') + 1)..];
}
