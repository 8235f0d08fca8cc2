using SkMmBert.Tests;
using Xunit;
using static SkMmBert.Tests.MemoryStoreConformance;

namespace SkMmBert.Postgres.Tests;

/// <summary>What disturbs other tests: a server that is killed under the store, and one whose planner is forced.</summary>
public sealed class KilledServerTests(KilledPgliteServer server) : IClassFixture<KilledPgliteServer>
{
    [Fact]
    public async Task Add_ServerKilledAgainAndAgain_NothingAcknowledgedIsLost()
    {
        using PostgresMemoryStore store = server.NewStore(new() { Schema = TestServer.NewSchema(), RetryFor = TimeSpan.FromMinutes(2) });
        await store.BindAsync(Hashed.Model);
        List<string> acknowledged = [];
        using CancellationTokenSource stop = new();
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                await store.AddAsync([Item($"note {i}"), Item("second chunk", id: $"note {i}", start: 50)]);
                acknowledged.Add($"note {i}");
                if (i % 10 == 0) Assert.Contains((await store.SearchAsync(Ask($"note {i}"))).Candidates, c => c.Item.Id == $"note {i}");
            }
        });
        for (int i = 0; i < 3; i++)
        {
            // On a busy machine the writer takes its time; it is killed while it writes, not before.
            int before = acknowledged.Count;
            for (int wait = 0; wait < 600 && acknowledged.Count < before + 4; wait++) await Task.Delay(50);
            await Task.Delay(200);
            await server.KillAsync();
        }

        for (int wait = 0; wait < 600 && acknowledged.Count <= 12; wait++) await Task.Delay(50);
        await stop.CancelAsync();
        await writer;

        List<string> stored = [];
        await foreach (MemoryItem item in store.ListAsync(MemoryFilter.All)) stored.Add($"{item.Id}/{item.Start}");
        Assert.True(acknowledged.Count > 10);
        Assert.Equal(acknowledged.SelectMany(id => (string[])[$"{id}/0", $"{id}/50"]).Order(), stored.Order());
    }

    [Fact]
    public async Task Search_IndexGivesUpBehindTheFence_LooksAtEveryVisibleItem()
    {
        // Every 26th item is visible: the index would have to walk past all the others.
        MemoryItem[] items = [.. Enumerable.Range(0, 4_000).Select(i => Item($"note {i}", scope: new() { User = i % 26 == 0 ? "rare" : "usual" }))];
        using PostgresMemoryStore store = server.NewStore(new() { Schema = TestServer.NewSchema(), IndexFrom = 100, IndexScan = 1 });
        await store.BindAsync(Hashed.Model);
        await store.AddAsync(items);
        await server.AskAsync<string>("SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off; SELECT ''");
        MemorySearchResult result = await store.SearchAsync(Ask("", new() { User = "rare" }, take: 150, words: false) with { Vector = Hashed.Vector("note 52") });
        MemorySearchResult usual = await store.SearchAsync(Ask("", new() { User = "usual" }, take: 10, words: false) with { Vector = Hashed.Vector("note 53") });
        await server.AskAsync<string>("RESET ALL; SELECT ''");

        Assert.Equal(150, result.Candidates.Count);
        Assert.Equal("signs", result.Widths[0].Stage);
        Assert.Equal("note 52", Ranked(result, "match")[0].Item.Text);
        Assert.Equal("route", usual.Widths[0].Stage);
        Assert.Equal("note 53", Ranked(usual, "match")[0].Item.Text);
    }

    private static List<(MemoryItem Item, EvidenceStage Stage)> Ranked(MemorySearchResult result, string stage) =>
        [.. result.Candidates.Select(c => (c.Item, c.Trail.Single(s => s.Stage == stage))).OrderBy(pair => pair.Item2.Rank)];
}
