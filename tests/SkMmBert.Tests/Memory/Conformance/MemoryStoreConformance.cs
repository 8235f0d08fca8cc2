using System.Numerics.Tensors;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>What every memory store must do. A store's tests derive from this and say how a fresh store is opened.</summary>
public abstract partial class MemoryStoreConformance
{
    protected static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    internal static readonly HashedGenerator Hashed = new();

    /// <summary>A new, empty store that is not tied to a model yet. The test disposes it.</summary>
    protected abstract MemoryStore Create();

    protected static CancellationToken Cancelled => new(canceled: true);

    internal static MemoryItem Item(string text, string? id = null, MemoryScope? scope = null, string? source = null, DateTimeOffset? time = null, int start = 0, HashedGenerator? model = null) => new()
    {
        Id = id ?? text,
        Text = text,
        Source = source,
        Start = start,
        End = start + text.Length,
        Scope = scope ?? MemoryScope.Shared,
        Time = time ?? Noon,
        Vector = (model ?? Hashed).Vector(text),
    };

    internal static MemorySearch Ask(string text, MemoryScope? scope = null, int take = 10, bool words = true, bool vector = true, bool exact = false) => new()
    {
        Text = words ? text : "",
        Vector = vector ? Hashed.Vector(text) : default,
        Scopes = (scope ?? MemoryScope.Shared).Visible(),
        Take = take,
        Exact = exact,
    };

    protected async Task<MemoryStore> CreateWith(params MemoryItem[] items)
    {
        MemoryStore store = Create();
        await store.BindAsync(Hashed.Model);
        await store.AddAsync(items);
        return store;
    }

    protected static async Task<List<MemoryItem>> List(MemoryStore store, MemoryFilter? filter = null)
    {
        List<MemoryItem> items = [];
        await foreach (MemoryItem item in store.ListAsync(filter ?? MemoryFilter.All))
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>Candidates that have the stage, by its rank.</summary>
    protected static List<(MemoryItem Item, EvidenceStage Stage)> Ranked(MemorySearchResult result, string stage) =>
        [.. result.Candidates.Where(c => c.Trail.Any(s => s.Stage == stage)).Select(c => (c.Item, c.Trail.First(s => s.Stage == stage))).OrderBy(pair => pair.Item2.Rank)];

    [Fact]
    public async Task Search_EmptyStore_FindsNothing()
    {
        using MemoryStore store = await CreateWith();
        Assert.Empty((await store.SearchAsync(Ask("anything"))).Candidates);
        Assert.Empty(await List(store));
        Assert.Equal(0, await store.CountAsync(MemoryFilter.All));
        Assert.Empty(await store.SampleAsync(5));
    }

    [Fact]
    public async Task Search_OneItem_ComesBackWholeWithItsTrail()
    {
        MemoryItem item = Item("Ada prefers trains to planes.", id: "a", scope: new() { User = "ada", Session = "x;=%'\"" }, source: "chat/17 \"quoted\"", start: 40) with
        {
            Metadata = new Dictionary<string, string> { ["kind"] = "preference", ["mood'\"\\"] = "日本語 🚆" },
            Time = Noon.AddMilliseconds(123),
        };
        using MemoryStore store = await CreateWith(item);
        MemoryCandidate found = Assert.Single((await store.SearchAsync(Ask("trains planes", item.Scope))).Candidates);
        Assert.Equal(item, found.Item);
        Assert.True(TensorPrimitives.CosineSimilarity(item.Vector.Span, found.Item.Vector.Span) > 0.9999f);
        EvidenceStage match = found.Trail.Single(s => s.Stage == "match");
        Assert.Equal(1, match.Rank);
        Assert.Equal(TensorPrimitives.Dot<float>(Hashed.Vector("trains planes"), item.Vector.Span), match.Score, 0.002f);
        Assert.True(found.Trail.Single(s => s.Stage == "lexical") is { Rank: 1, Score: > 0 });
        Assert.Equal(item, Assert.Single(await List(store)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Search_ThousandsOfItems_RanksLikeAnExactScan(bool exact)
    {
        MemoryItem[] items = [.. Enumerable.Range(0, 3_000).Select(i => Item($"note {i} about w{i % 97} and w{i % 89} with w{i % 83}"))];
        using MemoryStore store = await CreateWith(items);
        int kept = 0;
        for (int q = 0; q < 20; q++)
        {
            float[] question = Hashed.Vector($"w{q} w{q * 3} w{q * 2}");
            MemorySearchResult result = await store.SearchAsync(Ask("", take: 10, words: false) with { Vector = question, Exact = exact });
            List<(MemoryItem Item, EvidenceStage Stage)> ranked = Ranked(result, "match");
            Assert.Equal(Enumerable.Range(1, 10), ranked.Select(r => r.Stage.Rank));
            Assert.Equal(ranked.OrderByDescending(r => r.Stage.Score).Select(r => r.Item.Id), ranked.Select(r => r.Item.Id));
            float tenth = items.Select(item => TensorPrimitives.Dot<float>(question, item.Vector.Span)).OrderDescending().ElementAt(9);
            kept += ranked.Count(r => r.Stage.Score >= tenth - 0.002f);
        }

        Assert.True(kept >= (exact ? 200 : 196), $"{kept} of 200 nearest found");
    }

    [Fact]
    public async Task Search_WordsOfManyScripts_FindTheTextThatHasThem()
    {
        string[] texts =
        [
            "The invoice number is QX-4471.", "Zürich und Genf im Winter", "東京駅で会いましょう", "القطار مريح في السفر", "Поезд отправляется утром", "İstanbul'da yaşıyorum",
            "기차를 좋아합니다", "ฉันชอบรถไฟ", "मुझे रेलगाड़ी पसंद है", "a note without anything special", "another note of the same kind",
        ];
        using MemoryStore store = await CreateWith([.. texts.Select(text => Item(text))]);
        foreach ((string words, int index) in new[] { ("qx 4471", 0), ("ZÜRICH", 1), ("東京駅", 2), ("القطار", 3), ("поезд", 4), ("istanbul", 5), ("기차", 6), ("รถไฟ", 7), ("रेलगाड़ी", 8) })
        {
            List<(MemoryItem Item, EvidenceStage Stage)> ranked = Ranked(await store.SearchAsync(Ask(words, vector: false)), "lexical");
            Assert.True(ranked.Count > 0, words);
            Assert.Equal(texts[index], ranked[0].Item.Text);
        }
    }

    [Fact]
    public async Task Search_RareWordAmongCommonOnes_OutranksThem()
    {
        MemoryItem[] items = [.. Enumerable.Range(0, 200).Select(i => Item($"the meeting with the team was on day {i} of the year")), Item("the zebra day")];
        using MemoryStore store = await CreateWith(items);
        List<(MemoryItem Item, EvidenceStage Stage)> ranked = Ranked(await store.SearchAsync(Ask("the day of the zebra", vector: false)), "lexical");
        Assert.Equal("the zebra day", ranked[0].Item.Text);
        Assert.Equal(ranked.OrderByDescending(r => r.Stage.Score).Select(r => r.Item.Id), ranked.Select(r => r.Item.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\" OR 1=1; DROP TABLE items; --")]
    [InlineData("NEAR(a b) AND NOT * ^ : { } [ ] ( ) ' % _ \\")]
    [InlineData("'; SELECT 'x' & ! | <-> :*")]
    [InlineData("🚆🚆🚆")]
    public async Task Search_HostileWords_AreOnlyWords(string words)
    {
        using MemoryStore store = await CreateWith(Item("a plain item"));
        await store.SearchAsync(Ask(words, vector: false));
        Assert.Equal(1, await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Add_SameIdAgain_ReplacesAllOfItsChunks()
    {
        MemoryScope ada = new() { User = "ada" };
        using MemoryStore store = await CreateWith(
            Item("first part of it", id: "doc"), Item("second part of it", id: "doc", start: 100), Item("ada's own", id: "doc", scope: ada), Item("other", id: "other"));
        await store.AddAsync([Item("rewritten", id: "doc")]);
        Assert.Equal(["ada's own", "other", "rewritten"], (await List(store)).Select(item => item.Text).Order());
        Assert.DoesNotContain((await store.SearchAsync(Ask("second part"))).Candidates, c => c.Item.Text.Contains("second"));
    }

    [Fact]
    public async Task Add_IncompleteItem_RefusesAllOfThem()
    {
        using MemoryStore store = await CreateWith();
        foreach (MemoryItem bad in new[]
        {
            Item("x") with { Id = "" }, Item("x") with { Scope = null }, Item("x") with { Time = null },
            Item("x") with { Vector = new float[3] }, Item("x") with { Vector = Enumerable.Repeat(float.NaN, 256).ToArray() },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => store.AddAsync([Item("good"), bad]));
        }

        Assert.Equal(0, await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Add_BeforeBind_SaysSo()
    {
        using MemoryStore store = Create();
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => store.AddAsync([Item("x")]));
        Assert.Contains("BindAsync", error.Message);
    }

    [Fact]
    public async Task EveryVerb_CancelledBefore_DoesNothing()
    {
        using MemoryStore store = await CreateWith(Item("kept"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.AddAsync([Item("new")], Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.RemoveAsync(MemoryFilter.All, Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.SearchAsync(Ask("kept"), Cancelled));
        Assert.Equal("kept", Assert.Single(await List(store)).Text);
    }
}
