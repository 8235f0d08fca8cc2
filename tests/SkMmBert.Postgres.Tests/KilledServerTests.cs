using SkMmBert.Tests;
using Xunit;
using static SkMmBert.Tests.MemoryStoreConformance;

namespace SkMmBert.Postgres.Tests;

/// <summary>A store whose server is killed under it.</summary>
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
            await Task.Delay(700);
            await server.KillAsync();
        }

        await Task.Delay(300);
        await stop.CancelAsync();
        await writer;

        List<string> stored = [];
        await foreach (MemoryItem item in store.ListAsync(MemoryFilter.All)) stored.Add($"{item.Id}/{item.Start}");
        Assert.True(acknowledged.Count > 10);
        Assert.Equal(acknowledged.SelectMany(id => (string[])[$"{id}/0", $"{id}/50"]).Order(), stored.Order());
    }
}
