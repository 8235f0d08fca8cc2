using Xunit;

namespace SkMmBert.Tests;

public sealed class SqliteMemoryStoreTests : MemoryStoreConformance, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skmmbert-sqlite-").FullName;
    private int _files;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override MemoryStore Create() => new SqliteMemoryStore(Path.Combine(_folder, $"memory{_files++}.db"));

    [Fact]
    public async Task Open_AgainAfterDispose_HasEverything()
    {
        string path = Path.Combine(_folder, "again.db");
        MemoryItem[] items = [.. Enumerable.Range(0, 300).Select(i => Item($"note {i}"))];
        using (SqliteMemoryStore store = new(path))
        {
            await store.BindAsync(Hashed.Model);
            await store.AddAsync(items);
            await store.RemoveAsync(new MemoryFilter { Ids = ["note 7"] });
        }

        using SqliteMemoryStore again = new(path);
        await again.BindAsync(Hashed.Model);
        Assert.Equal(items.Where(item => item.Id != "note 7"), await List(again));
        Assert.Equal("note 8", Ranked(await again.SearchAsync(Ask("note 8")), "match")[0].Item.Text);
        Assert.DoesNotContain((await again.SearchAsync(Ask("note 7", take: 400))).Candidates, c => c.Item.Id == "note 7");
        Assert.Empty(await again.FindProblemsAsync());
    }

    [Fact]
    public async Task TwoStoresOnOneFile_EachSeesTheOthersWritesAtOnce()
    {
        string path = Path.Combine(_folder, "shared.db");
        using SqliteMemoryStore one = new(path), two = new(path);
        await one.BindAsync(Hashed.Model);
        await two.BindAsync(Hashed.Model);
        for (int i = 0; i < 10; i++)
        {
            await one.AddAsync([Item($"first says {i}")]);
            Assert.Contains((await two.SearchAsync(Ask($"first says {i}", take: 50))).Candidates, c => c.Item.Id == $"first says {i}");
            await two.AddAsync([Item($"second says {i}")]);
            Assert.Contains((await one.SearchAsync(Ask($"second says {i}", take: 50))).Candidates, c => c.Item.Id == $"second says {i}");
        }

        Assert.Equal(5, await two.RemoveAsync(new MemoryFilter { Ids = [.. Enumerable.Range(0, 5).Select(i => $"first says {i}")] }));
        Assert.Equal(15, (await one.SearchAsync(Ask("says", take: 50))).Candidates.Count);
        await two.CompactAsync();
        await one.AddAsync([Item("after compaction")]);
        Assert.Equal(16, (await two.SearchAsync(Ask("says", take: 50, words: false))).Candidates.Count);
        Assert.Equal(16, (await one.SearchAsync(Ask("says", take: 50, words: false))).Candidates.Count);
    }

    [Fact]
    public async Task Reembed_WhileAnotherProcessHasItOpen_TheOtherRefuses()
    {
        string path = Path.Combine(_folder, "reembedded.db");
        using SqliteMemoryStore one = new(path), two = new(path);
        await one.BindAsync(Hashed.Model);
        await one.AddAsync([Item("kept")]);
        await two.BindAsync(Hashed.Model);
        HashedGenerator other = new(seed: 9, name: "other");
        await one.ReembedAsync(other.Model, (texts, _) => Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. texts.Select(text => (ReadOnlyMemory<float>)other.Vector(text))]));
        Assert.Contains("'other'", (await Assert.ThrowsAsync<InvalidOperationException>(() => two.SearchAsync(Ask("kept")))).Message);
        Assert.Contains("'other'", (await Assert.ThrowsAsync<InvalidOperationException>(() => two.AddAsync([Item("lost")]))).Message);
        Assert.Equal(1, await one.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Open_FirstLayout_IsMigrated()
    {
        string path = Path.Combine(_folder, "old.db");
        using (SqliteSession session = new(path, create: true, 1_000))
        {
            SqliteSchema.Steps[0](session);
            session.Execute("PRAGMA user_version = 1");
            session.Execute($"PRAGMA application_id = {SqliteSchema.ApplicationId}");
            SqliteReembed.SetModel(session, Hashed.Model);
            int scope = SqliteItems.ScopeNumber(session, MemoryScope.Shared);
            SqliteItems.Write(session, new SqliteRow(Item("an old note"), Hashed.Model), scope);
            session.Execute("UPDATE items SET metadata = '{\"kind\":\"old\"}'");
        }

        using SqliteMemoryStore store = new(path);
        await store.BindAsync(Hashed.Model);
        Assert.Equal(1, await store.CountAsync(new MemoryFilter { Metadata = new Dictionary<string, string> { ["kind"] = "old" } }));
        Assert.Equal(1, await store.RemoveAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Open_NewerLayout_SaysWhichVersion()
    {
        string path = Path.Combine(_folder, "newer.db");
        using (SqliteMemoryStore store = new(path))
        {
            await store.BindAsync(Hashed.Model);
        }

        using (SqliteSession session = new(path, create: false, 1_000))
        {
            session.Execute("PRAGMA user_version = 99");
        }

        using SqliteMemoryStore newer = new(path);
        Assert.Contains("version 99", (await Assert.ThrowsAsync<InvalidDataException>(() => newer.BindAsync(Hashed.Model))).Message);
    }

    /// <summary>Above a few thousand rows the words are scored by the store itself: what it puts first is what BM25 over every text puts first.</summary>
    [Fact]
    public async Task Search_WordsInThousandsOfItems_RankAsBm25OverAllTexts()
    {
        Random random = new(4);
        string[] words = [.. Enumerable.Range(0, 400).Select(i => $"w{i}")];
        string Text() => string.Join(' ', Enumerable.Range(0, 6 + random.Next(10)).Select(_ => words[(int)(words.Length * Math.Pow(random.NextDouble(), 2.5))]));
        MemoryItem[] items = [.. Enumerable.Range(0, 30_000).Select(i => Item(i % 50 == 0 ? "a" : "b", id: $"{i}", scope: new() { User = i % 10 == 0 ? "few" : "many" }) with { Text = Text() })];
        using MemoryStore store = await CreateWith(items);
        double average = items.Average(item => item.Text.Split(' ').Length);
        int kept = 0, asked = 0;
        foreach ((string question, string user) in new[] { ("w3 w41 w150", "many"), ("w300 w301 w2", "many"), ("w5 w7 w220", "few"), ("w0 w1 w2", "many"), ("w0", "many"), ("w0 w1", "few") })
        {
            MemoryItem[] visible = [.. items.Where(item => item.Scope!.User == user)];
            (string, double)[] terms = [.. question.Split(' ').Select(term => (term, Bm25.Weight(items.Count(item => item.Text.Split(' ').Contains(term)), items.Length)))];
            float[] exact = [.. visible.Select(item => Bm25.Score(terms, item.Text, average)).OrderDescending()];
            List<(MemoryItem Item, EvidenceStage Stage)> found = Ranked(await store.SearchAsync(Ask(question, new() { User = user }, take: 20, vector: false)), "lexical");
            Assert.Equal(20, found.Count);
            Assert.All(found, pair => Assert.Equal(user, pair.Item.Scope!.User));

            // Of words that every third item holds, any of the thousands of items that hold them all will do.
            bool telling = terms.Any(term => term.Item2 > 3);
            kept += found.Take(10).Count(pair => Bm25.Score(terms, pair.Item.Text, average) >= exact[9] * (telling ? 0.97f : 0.6f));
            asked += 10;
        }

        Assert.True(kept >= asked * 0.9, $"{kept} of {asked} are as good as the exact first ten");
    }

    [Fact]
    public async Task Search_LargeStoreWithCommonWords_StillFindsTheRareOne()
    {
        using MemoryStore store = await CreateWith([.. Enumerable.Range(0, 20_500).Select(i => Item("day", id: $"{i}") with { Text = i == 77 ? "the zebra day" : $"the day {i}" })]);
        Assert.Equal("77", Ranked(await store.SearchAsync(Ask("the zebra day", vector: false)), "lexical")[0].Item.Id);
        Assert.Equal(10, Ranked(await store.SearchAsync(Ask("day", words: false)), "match").Count);
    }
}
