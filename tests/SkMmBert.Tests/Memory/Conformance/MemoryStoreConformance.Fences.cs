using Xunit;

namespace SkMmBert.Tests;

public abstract partial class MemoryStoreConformance
{
    /// <summary>The fence as a property: whatever was written, replaced and removed in whatever scopes, a search, exact or not, by words or
    /// vector, brings back only items its scope sees, and with enough room all of them.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Search_AnyScopes_NeverCrossTheFence(int seed)
    {
        Random random = new(seed);
        string[] names = ["", "a", "b", "A", "a;b", "a=b", "%61"];
        string Part(int kinds) => names[random.Next(kinds)];
        MemoryScope Any() => new() { Application = Part(3), Agent = Part(2), User = Part(7), Session = Part(4) };
        using MemoryStore store = await CreateWith();
        Dictionary<(MemoryScope, string), MemoryItem> expected = [];
        for (int round = 0; round < 8; round++)
        {
            MemoryItem[] items = [.. Enumerable.Range(0, 40).Select(_ => Item($"secret {random.Next(30)}", scope: Any(), time: Noon.AddMinutes(random.Next(100))))];
            await store.AddAsync(items);
            foreach (MemoryItem item in items)
            {
                expected[(item.Scope!, item.Id)] = item;
            }

            if (round % 3 == 2)
            {
                MemoryScope forgotten = Any();
                int removed = await store.RemoveAsync(new MemoryFilter { Scope = forgotten });
                (MemoryScope, string)[] gone = [.. expected.Keys.Where(key => forgotten.Contains(key.Item1))];
                Assert.Equal(gone.Length, removed);
                Array.ForEach(gone, key => expected.Remove(key));
                await store.CompactAsync();
            }

            for (int q = 0; q < 6; q++)
            {
                MemoryScope scope = Any();
                MemorySearch search = Ask("secret 7", scope, take: 1_000, words: q % 3 != 1, vector: q % 3 != 2, exact: q == 3);
                MemorySearchResult result = await store.SearchAsync(search);
                Assert.All(result.Candidates, candidate => Assert.True(scope.Sees(candidate.Item.Scope!), $"'{candidate.Item.Scope}' seen from '{scope}'"));
                Assert.Equal(
                    expected.Values.Where(item => scope.Sees(item.Scope!)).Select(item => (item.Scope!.ToString(), item.Id, item.Time)).Order(),
                    result.Candidates.Select(candidate => (candidate.Item.Scope!.ToString(), candidate.Item.Id, candidate.Item.Time)).Order());
                Assert.All(await store.SampleAsync(5, scope.Visible()), item => Assert.True(scope.Sees(item.Scope!)));
                Assert.Equal(expected.Keys.Count(key => scope.Contains(key.Item1)), await store.CountAsync(new MemoryFilter { Scope = scope }));
            }
        }
    }

    [Fact]
    public async Task Search_MetadataAndTime_Filter()
    {
        using MemoryStore store = await CreateWith([.. Enumerable.Range(0, 50).Select(i => Item($"note {i}", time: Noon.AddHours(i)) with
        {
            Metadata = new Dictionary<string, string> { ["even"] = i % 2 == 0 ? "yes" : "no", ["third"] = (i % 3).ToString() },
        })]);
        foreach (bool exact in new[] { false, true })
        {
            MemorySearchResult result = await store.SearchAsync(Ask("note", take: 100, exact: exact) with
            {
                Metadata = new Dictionary<string, string> { ["even"] = "yes", ["third"] = "0" }, From = Noon.AddHours(6), To = Noon.AddHours(24),
            });
            Assert.Equal(["note 12", "note 18", "note 6"], result.Candidates.Select(c => c.Item.Text).Order());
        }

        Assert.Empty((await store.SearchAsync(Ask("note") with { Metadata = new Dictionary<string, string> { ["even"] = "0" } })).Candidates);
        Assert.Empty((await store.SearchAsync(Ask("note") with { From = Noon.AddHours(50) })).Candidates);
    }

    [Fact]
    public async Task Remove_EveryKindOfFilter_RemovesThoseAndCounts()
    {
        using MemoryStore store = await CreateWith([.. Enumerable.Range(0, 20).Select(i => Item($"note {i}", id: $"n{i / 2}", source: $"s{i % 4}", start: i % 2, time: Noon.AddDays(i)) with
        {
            Metadata = new Dictionary<string, string> { ["tag"] = i < 18 ? "low" : "high" },
        })]);
        Assert.Equal(2, await store.RemoveAsync(new MemoryFilter { Ids = ["n0", "missing"] }));
        Assert.Equal(0, await store.RemoveAsync(new MemoryFilter { Ids = [] }));
        Assert.Equal(2, await store.RemoveAsync(new MemoryFilter { To = Noon.AddDays(4) }));
        Assert.Equal(2, await store.RemoveAsync(new MemoryFilter { Metadata = new Dictionary<string, string> { ["tag"] = "high" } }));
        Assert.Equal(4, await store.RemoveAsync(new MemoryFilter { Source = "s1" }));
        Assert.Equal(1, await store.RemoveAsync(new MemoryFilter { Source = "s2", From = Noon.AddDays(14) }));
        Assert.Equal(9, await store.CountAsync(MemoryFilter.All));
        Assert.All((await store.SearchAsync(Ask("note 1", take: 100))).Candidates, c => Assert.NotEqual("s1", c.Item.Source));
        Assert.Equal((await List(store)).Select(item => item.Id).Order(), (await store.SearchAsync(Ask("note", take: 100))).Candidates.Select(c => c.Item.Id).Order());
        await store.CompactAsync();
        Assert.Equal(9, (await store.SearchAsync(Ask("note", take: 100))).Candidates.Count);
    }

    [Fact]
    public async Task Bind_AnotherModel_RefusedNamingBoth()
    {
        using MemoryStore store = await CreateWith(Item("kept"));
        HashedGenerator other = new(128, seed: 5, name: "other");
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => store.BindAsync(other.Model));
        Assert.Contains("'hashed'", error.Message);
        Assert.Contains("'other'", error.Message);
        await store.BindAsync(Hashed.Model);
        Assert.Equal(1, await store.CountAsync(MemoryFilter.All));
    }

    [Fact]
    public async Task Reembed_AnotherModel_KeepsItemsAndBinds()
    {
        MemoryItem[] items = [.. Enumerable.Range(0, 700).Select(i => Item($"note {i}", scope: new() { User = $"u{i % 3}" }))];
        using MemoryStore store = await CreateWith(items);
        HashedGenerator other = new(192, seed: 5, name: "other");
        Task<IReadOnlyList<ReadOnlyMemory<float>>> Embed(IReadOnlyList<string> texts, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. texts.Select(text => (ReadOnlyMemory<float>)other.Vector(text))]);
        }

        int batches = 0;
        await Assert.ThrowsAsync<IOException>(() => store.ReembedAsync(other.Model, (texts, token) => ++batches > 1 ? throw new IOException("model gone") : Embed(texts, token)));
        await store.BindAsync(Hashed.Model);
        Assert.Equal(items, await List(store));

        await store.ReembedAsync(other.Model, Embed);
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.BindAsync(Hashed.Model));
        await store.BindAsync(other.Model);
        Assert.Equal(items, await List(store));
        MemorySearchResult result = await store.SearchAsync(Ask("", new() { User = "u1" }, words: false) with { Vector = other.Vector("note 4") });
        Assert.Equal("note 4", Ranked(result, "match")[0].Item.Text);
    }

    [Fact]
    public async Task Sample_MoreOrFewerThanThere_SpreadsOverTheStore()
    {
        using MemoryStore store = await CreateWith([.. Enumerable.Range(0, 100).Select(i => Item($"note {i}"))]);
        IReadOnlyList<MemoryItem> ten = await store.SampleAsync(10);
        Assert.Equal(10, ten.Distinct().Count());
        Assert.Equal(ten, await store.SampleAsync(10));
        Assert.Contains(ten, item => int.Parse(item.Id[5..]) < 50);
        Assert.Contains(ten, item => int.Parse(item.Id[5..]) >= 50);
        Assert.Equal(100, (await store.SampleAsync(1_000)).Count);
        Assert.Empty(await store.SampleAsync(0));
    }

    [Fact]
    public async Task AddAndSearch_AtOnce_EveryAcknowledgedItemIsFound()
    {
        using MemoryStore store = await CreateWith();
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, token) =>
        {
            await store.AddAsync([Item($"parallel note {i}", scope: new() { User = $"u{i % 4}" })], token);
            MemorySearchResult result = await store.SearchAsync(Ask($"parallel note {i}", new() { User = $"u{i % 4}" }), token);
            Assert.Contains(result.Candidates, candidate => candidate.Item.Id == $"parallel note {i}");
        });
        Assert.Equal(40, await store.CountAsync(MemoryFilter.All));
    }
}
