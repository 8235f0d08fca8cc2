using Xunit;

namespace SkMmBert.Tests;

public sealed class AgentMemoryTests
{
    private static readonly string[] Facts =
    [
        "Ada prefers trains to planes.", "Bob is allergic to peanuts.", "The team meets every Monday at nine.", "Carol's birthday is on the third of May.",
        "The office plant needs water twice a week.", "Dan plays chess with his neighbour.", "The blue folder holds the tax papers.", "Eve grew up in Lisbon.",
    ];

    [Fact]
    public async Task Recall_Question_ReturnsTheFactWithItsTrail()
    {
        AgentMemory memory = await WithFacts();
        Evidence best = (await memory.RecallAsync("Who is allergic to peanuts?"))[0];
        Assert.Equal("Bob is allergic to peanuts.", best.Text);
        Assert.Equal("chat/1", best.Source);
        Assert.Equal(["signs", "route", "retrieve", "match", "lexical", "fused"], best.Trail.Select(stage => stage.Stage));
        Assert.Equal(best.Score, best.Trail[^1].Score);
        Assert.All(best.Trail, stage => Assert.Equal(1, stage.Rank));
    }

    [Theory]
    [InlineData("zzz qqq xxx")]
    [InlineData("")]
    [InlineData("  \n")]
    public async Task Recall_NothingRelevant_IsEmpty(string question) => Assert.Empty(await (await WithFacts()).RecallAsync(question));

    [Fact]
    public async Task Recall_FloorZero_ReturnsTheNearestAllTheSame() =>
        Assert.Equal(3, (await (await WithFacts()).RecallAsync("zzz qqq xxx", new() { Floor = 0, Top = 3 })).Count);

    [Fact]
    public async Task Recall_EmptyMemory_IsEmpty() => Assert.Empty(await New().RecallAsync("anything"));

    [Fact]
    public async Task Recall_SingleItem_FindsItAndRefusesTheRest()
    {
        AgentMemory memory = New();
        await memory.RememberAsync(Facts[0]);
        Assert.Single(await memory.RecallAsync("Does Ada like trains?"));
        Assert.Empty(await memory.RecallAsync("zebra stripes"));
    }

    [Fact]
    public async Task Recall_Scopes_SeeTheirOwnAndWhatIsShared()
    {
        AgentMemory memory = New();
        MemoryScope ada = new() { User = "ada" }, bob = new() { User = "bob" };
        await memory.RememberAsync("The secret word is walnut.", scope: ada);
        await memory.RememberAsync("The secret word is hazel.", scope: bob);
        await memory.RememberAsync("The secret word list is shared.");
        RecallOptions all = new() { Floor = 0, Top = 10 };
        Assert.Equal(["The secret word is walnut.", "The secret word list is shared."], (await memory.RecallAsync("secret word", all with { Scope = ada with { Session = "1" } })).Select(e => e.Text).Order());
        Assert.Equal(["The secret word list is shared."], (await memory.RecallAsync("secret word", all)).Select(e => e.Text));
    }

    [Fact]
    public async Task Recall_RecencyHalfLife_PutsTheNewerFirstAndDropsNothing()
    {
        FixedTime time = new();
        AgentMemory memory = New(new() { Time = time, DropDuplicates = false });
        await memory.RememberAsync([new() { Text = "Ada lives in Rome.", Time = time.Now.AddDays(-400) }, new() { Text = "Ada lives in Oslo.", Time = time.Now.AddDays(-1) }]);
        IReadOnlyList<Evidence> plain = await memory.RecallAsync("Where in Rome does Ada live?"), recent = await memory.RecallAsync("Where in Rome does Ada live?", new() { RecencyHalfLife = TimeSpan.FromDays(30) });
        Assert.Equal("Ada lives in Rome.", plain[0].Text);
        Assert.Equal("Ada lives in Oslo.", recent[0].Text);
        Assert.Equal(plain.Count, recent.Count);
        Assert.Equal("recency", recent[0].Trail[^1].Stage);
    }

    [Fact]
    public async Task Recall_MetadataTimeAndStages_NarrowWhatComesBack()
    {
        FixedTime time = new();
        AgentMemory memory = New(new() { Time = time });
        await memory.RememberAsync(Enumerable.Range(0, 12).Select(i => new MemoryItem
        {
            Text = $"Ada lives in town {i}.", Time = time.Now.AddDays(-i), Metadata = new Dictionary<string, string> { ["kind"] = i % 2 == 0 ? "even" : "odd" },
        }));
        RecallOptions all = new() { Floor = 0, Top = 100 };
        string[] Towns(IReadOnlyList<Evidence> found) => [.. found.Select(evidence => evidence.Text.Split(' ')[^1].TrimEnd('.')).OrderBy(int.Parse)];
        Assert.Equal(12, (await memory.RecallAsync("Where does Ada live?", all)).Count);
        Assert.Equal(3, (await memory.RecallAsync("Where does Ada live?", all with { Top = 3 })).Count);
        Assert.Equal(["1", "3", "5", "7", "9", "11"], Towns(await memory.RecallAsync("Where does Ada live?", all with { Metadata = new Dictionary<string, string> { ["kind"] = "odd" } })));
        Assert.Equal(["3", "4"], Towns(await memory.RecallAsync("Where does Ada live?", all with { From = time.Now.AddDays(-4), To = time.Now.AddDays(-2) })));
        Assert.Equal(["signs", "route", "retrieve", "match", "fused"], (await memory.RecallAsync("town 7", all with { Words = false }))[0].Trail.Select(stage => stage.Stage));
        Assert.Equal(["lexical", "fused"], (await memory.RecallAsync("town 7", all with { Vectors = false }))[0].Trail.Select(stage => stage.Stage));
        Assert.Equal(["match", "fused"], (await memory.RecallAsync("town 7", all with { Words = false, Exact = true }))[0].Trail.Select(stage => stage.Stage));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RecallOptions { Top = -1 }.Validate());
        Assert.Throws<ArgumentException>(() => new RecallOptions { Words = false, Vectors = false }.Validate());
    }

    [Fact]
    public async Task Recall_Reranker_OrdersTheLast()
    {
        AgentMemory memory = await WithFacts(new() { Reranker = new FakeReranker((_, text) => text.Length) });
        IReadOnlyList<Evidence> found = await memory.RecallAsync("Ada Bob trains peanuts", new() { Floor = 0, Top = 3 });
        Assert.Equal(Facts.Max(fact => fact.Length), (int)found[0].Score);
        Assert.Equal("rerank", found[0].Trail[^1].Stage);
        Assert.Equal("fused", (await memory.RecallAsync("Bob peanuts", new() { Rerank = false }))[0].Trail[^1].Stage);
    }

    [Fact]
    public async Task Recall_RerankerFails_KeepsTheOrderAndSaysSo()
    {
        AgentMemory memory = await WithFacts(new() { Reranker = new FakeReranker((_, _) => throw new InvalidOperationException("no heads")) });
        Evidence best = (await memory.RecallAsync("Who is allergic to peanuts?"))[0];
        Assert.Equal(Facts[1], best.Text);
        Assert.Equal("rerank failed: no heads", best.Trail[^1].Stage);
    }

    [Fact]
    public async Task Remember_SameWordsAgain_IsADuplicateInItsScopeOnly()
    {
        AgentMemory memory = New();
        Assert.Equal(new RememberResult(2, 1, 2), await memory.RememberAsync([new() { Text = "Ada likes tea." }, new() { Text = "ada likes  TEA!" }, new() { Text = "Ada likes tea", Scope = new() { User = "x" } }]));
        Assert.Equal(new RememberResult(0, 1, 0), await memory.RememberAsync("Ada likes tea!!!"));
        Assert.Equal(new RememberResult(1, 0, 1), await memory.RememberAsync("Ada likes coffee."));
        Assert.Equal(new RememberResult(1, 0, 1), await New(new() { DropDuplicates = false }).RememberAsync("Ada likes tea."));
    }

    [Fact]
    public async Task Remember_NearDuplicateOption_NeverMergesDifferentNumbers()
    {
        AgentMemory memory = New(new() { NearDuplicate = 0.75f });
        await memory.RememberAsync("The invoice of the printing company is due in 14 days");
        Assert.Equal(1, (await memory.RememberAsync("The invoice of the printing company is due within 14 days")).Duplicates);
        Assert.Equal(1, (await memory.RememberAsync("The invoice of the printing company is due within 15 days")).Added);
    }

    [Fact]
    public async Task Remember_SameIdAgain_Rewrites()
    {
        AgentMemory memory = New();
        await memory.RememberAsync([new() { Id = "a", Text = "Ada lives in Rome." }]);
        Assert.Equal(1, (await memory.RememberAsync([new() { Id = "a", Text = "Ada lives in Oslo." }])).Added);
        Assert.Equal(1, (await memory.RememberAsync([new() { Id = "a", Text = "Ada lives in Oslo." }])).Duplicates);
        Assert.Equal("Ada lives in Oslo.", Assert.Single(await List(memory)).Text);
    }

    [Fact]
    public async Task Remember_LongText_IsCutWithExactRanges()
    {
        string text = string.Join("\n\n", Enumerable.Range(0, 60).Select(i => $"Paragraph {i} speaks of topic{i}. It has a second sentence, too."));
        AgentMemory memory = New(new() { ChunkTokens = 64 });
        RememberResult result = await memory.RememberAsync(text, source: "book");
        Assert.True(result is { Added: 1, Chunks: > 5 });
        List<MemoryItem> items = await List(memory);
        Assert.All(items, item => Assert.Equal(item.Text, text[item.Start..item.End]));
        Assert.All(items, item => Assert.EndsWith(".", item.Text));
        Assert.Single(items.Select(item => item.Id).Distinct());
        Evidence found = (await memory.RecallAsync("topic41"))[0];
        Assert.Contains("topic41", text[found.Start..found.End]);
        Assert.Equal(result.Chunks, await memory.ForgetAsync(new() { Ids = [found.Id] }));
    }

    [Fact]
    public async Task Remember_TextWithHalfSurrogatesAndNul_KeepsRanges()
    {
        AgentMemory memory = New();
        await memory.RememberAsync("a\0b \uD83D c 🚆 d");
        Assert.Equal("a\uFFFDb \uFFFD c 🚆 d", Assert.Single(await List(memory)).Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t\n")]
    public async Task Remember_EmptyText_IsRefused(string text) => await Assert.ThrowsAsync<ArgumentException>(() => New().RememberAsync(text));

    [Fact]
    public async Task Forget_EveryWay_Counts()
    {
        FixedTime time = new();
        AgentMemory memory = New(new() { Time = time });
        await memory.RememberAsync(Facts.Select((fact, i) => new MemoryItem { Id = $"f{i}", Text = fact, Source = $"s{i % 2}", Scope = new() { User = i < 4 ? "a" : "b" }, Time = time.Now.AddDays(-i) }));
        Assert.Equal(1, await memory.ForgetAsync(new() { Ids = ["f0"] }));
        Assert.Equal(2, await memory.ForgetAsync(new() { Source = "s0", Scope = new() { User = "b" } }));
        Assert.Equal(2, await memory.ForgetOlderThanAsync(TimeSpan.FromDays(4)));
        Assert.Equal(3, await memory.CountAsync());
        Assert.Equal(3, await memory.ForgetAsync(new() { Scope = new() { User = "a" } }));
    }

    [Fact]
    public async Task ExportAndImport_RoundTrip_ChunksIncluded()
    {
        AgentMemory memory = New(new() { ChunkTokens = 32 });
        await memory.RememberAsync(string.Join(" ", Enumerable.Range(0, 200).Select(i => $"word{i}.")), source: "long", metadata: new Dictionary<string, string> { ["k"] = "v \"q\" 日本" });
        await memory.RememberAsync("Ada prefers trains.", scope: new() { User = "ada", Session = "s" });
        StringWriter lines = new();
        int count = await memory.ExportAsync(lines);
        AgentMemory copy = New(new() { ChunkTokens = 32 });
        Assert.Equal(new RememberResult(2, 0, count), await copy.ImportAsync(new StringReader(lines.ToString())));
        Assert.Equal(await List(memory), await List(copy));
        Assert.Equal(new RememberResult(0, 2, 0), await copy.ImportAsync(new StringReader(lines.ToString())));
    }

    [Theory]
    [InlineData("{\"text\":\"ok\"}\nnot json", "Line 2")]
    [InlineData("\n\n{\"id\":\"x\"}", "Line 3")]
    [InlineData("{\"text\":\"x\",\"scope\":{\"tenant\":\"a\"}}", "'tenant'")]
    [InlineData("{\"text\":\"x\",\"scope\":\"tenant=a\"}", "tenant=a")]
    [InlineData("{\"text\":\"x\",\"time\":\"soon\"}", "soon")]
    [InlineData("{\"text\":\" \"}", "empty")]
    public async Task Import_BadLine_SaysWhichAndWhy(string lines, string expected)
    {
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => New().ImportAsync(new StringReader(lines)));
        Assert.Contains(expected, error.Message);
        Assert.StartsWith("Line ", error.Message);
    }

    [Fact]
    public async Task Check_HealthyStore_FindsTheExactTenAndPrintsWidths()
    {
        AgentMemory memory = New(new() { DropDuplicates = false });
        await memory.RememberAsync(Enumerable.Range(0, 2_000).Select(i => new MemoryItem { Text = $"note {i} about topic{i % 50} and place{i % 31}" }));
        MemoryCheck check = await memory.CheckAsync(30);
        Assert.Equal((2_000, 30), (check.Items, check.Questions));
        Assert.True(check.Recall >= 0.99, $"recall {check.Recall}");
        Assert.Equal(["signs", "route", "retrieve", "match"], check.Widths.Select(width => width.Stage));
        Assert.Empty(check.Problems);
    }

    [Fact]
    public async Task Calibrate_LabelledQuestions_KeepsAnswersAndRefusesTheRest()
    {
        AgentMemory memory = await WithFacts(new() { Reranker = new FakeReranker((_, text) => -text.Length) });
        MemoryCalibration calibration = await memory.CalibrateAsync(
        [
            new("Who is allergic to peanuts?", ["chat/1"]), new("Does Ada like trains?", ["chat/0"]), new("Who plays chess?", ["chat/5"]), new("Where did Eve grow up?", ["chat/7"]),
            new("qqq zzz", []), new("stripes of a zebra", []),
        ]);
        Assert.Equal(1, calibration.Found);
        Assert.Equal(0, calibration.FalseEvidence);
        Assert.False(calibration.RerankHelps);
        MemoryCalibration own = await memory.CalibrateAsync();
        Assert.InRange(own.Floor, 0.01f, 2f);
    }

    [Fact]
    public async Task Reembed_StoreOfAnotherModel_IsTheWayOut()
    {
        InMemoryStore store = new();
        await new AgentMemory(new HashedGenerator(), store).RememberAsync(Facts[0]);
        AgentMemory other = new(new HashedGenerator(192, 7, "other"), store);
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => other.RecallAsync("trains"));
        Assert.Contains("hashed/1", error.Message);
        Assert.Contains("other/7", error.Message);
        await other.ReembedAsync();
        Assert.Single(await other.RecallAsync("Ada trains"));
    }

    [Fact]
    public async Task EveryVerb_Cancelled_Throws()
    {
        AgentMemory memory = await WithFacts();
        CancellationToken cancelled = new(true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => memory.RecallAsync("trains", null, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => memory.RememberAsync("x", cancellationToken: cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => memory.ForgetAsync(MemoryFilter.All, cancelled));
        Assert.Equal(Facts.Length, await memory.CountAsync());
    }

    private static AgentMemory New(MemoryOptions? options = null) => new(new HashedGenerator(), new InMemoryStore(), (options ?? new()) with { Tiers = [64, 128, 256] });

    private static async Task<AgentMemory> WithFacts(MemoryOptions? options = null)
    {
        AgentMemory memory = New(options);
        await memory.RememberAsync(Facts.Select((fact, i) => new MemoryItem { Text = fact, Source = $"chat/{i}" }));
        return memory;
    }

    private static async Task<List<MemoryItem>> List(AgentMemory memory)
    {
        List<MemoryItem> items = [];
        await foreach (MemoryItem item in memory.ListAsync())
        {
            items.Add(item);
        }

        return items;
    }

    private sealed class FixedTime : TimeProvider
    {
        public DateTimeOffset Now { get; } = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class FakeReranker(Func<string, string, float> score) : Reranker
    {
        public override Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
            Task.FromResult(texts.Select(text => score(query, text)).ToArray());
    }
}
