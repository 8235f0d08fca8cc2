using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rerank_NoTexts_EmptyAndNotScored()
    {
        using FakeReranker reranker = new((_, _) => 1);
        Assert.Empty(await reranker.RerankAsync("q", Array.Empty<string>(), cancellationToken: Stop));
        Assert.Equal(0, reranker.Calls);
    }

    [Fact]
    public async Task Rerank_OneText_ScoredAndInPlace()
    {
        using FakeReranker reranker = new((_, _) => -0.5f);
        RankedItem<string> only = Assert.Single(await reranker.RerankAsync("q", ["a"], cancellationToken: Stop));
        Assert.Equal(("a", 0, -0.5f), (only.Item, only.Index, only.Score));
    }

    [Fact]
    public async Task Rerank_Texts_BestFirstAndTiesInTheOrderGiven()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        IReadOnlyList<RankedItem<string>> ranked = await reranker.RerankAsync("q", ["bb", "a", "ccc", "dd", "e"], cancellationToken: Stop);
        Assert.Equal(["ccc", "bb", "dd", "a", "e"], ranked.Select(item => item.Item));
        Assert.Equal([2, 0, 3, 1, 4], ranked.Select(item => item.Index));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(9, 3)]
    public async Task Rerank_Top_AtMostSoMany(int top, int expected)
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Assert.Equal(expected, (await reranker.RerankAsync("q", ["a", "bb", "ccc"], new RerankOptions { Top = top }, Stop)).Count);
    }

    [Theory]
    [InlineData(0f, new[] { "zero", "plus" })]
    [InlineData(-1f, new[] { "zero", "plus", "minus" })]
    [InlineData(2f, new string[0])]
    public async Task Rerank_Floor_ComparedWithRerankScoresOnly(float floor, string[] kept)
    {
        using FakeReranker reranker = new((_, text) => text == "plus" ? 1 : text == "zero" ? 0 : -1);
        Evidence[] candidates = [.. new[] { "minus", "zero", "plus" }.Select((text, i) => new Evidence { Id = text, Text = text, Score = -100 - i })];
        IReadOnlyList<Evidence> ranked = await reranker.RerankAsync("q", candidates, new RerankOptions { MinimumScore = floor }, Stop);
        Assert.Equal(kept.Order(), ranked.Select(evidence => evidence.Text).Order());
    }

    [Fact]
    public async Task Rerank_Evidence_AddsAStageWithScoreAndRank()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Evidence[] candidates =
        [
            new() { Id = "1", Text = "a", Score = 0.9f, Trail = [new EvidenceStage("match", 0.9f, 1)] },
            new() { Id = "2", Text = "bbb", Score = 0.8f, Trail = [new EvidenceStage("match", 0.8f, 2)] },
        ];
        IReadOnlyList<Evidence> ranked = await reranker.RerankAsync("q", candidates, cancellationToken: Stop);
        Assert.Equal(["2", "1"], ranked.Select(evidence => evidence.Id));
        Assert.Equal([new EvidenceStage("match", 0.8f, 2), new EvidenceStage("rerank", 3, 1)], ranked[0].Trail);
        Assert.Equal(3, ranked[0].Score);
        Assert.Single(candidates[0].Trail);
    }

    [Fact]
    public async Task Rerank_AnythingWithAText_ThroughItsSelector()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        IReadOnlyList<RankedItem<(string Name, int Age)>> ranked = await reranker.RerankAsync("q", new (string Name, int Age)[] { ("Bo", 3), ("Charlotte", 5) }, person => person.Name, cancellationToken: Stop);
        Assert.Equal(5, ranked[0].Item.Age);
    }

    [Fact]
    public async Task RerankAndScore_OptionsAsNew_MeansTheOptions()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Evidence[] candidates = [.. new[] { "a", "bb" }.Select(text => new Evidence { Id = text, Text = text, Score = 1 })];
        Assert.Equal("bb", Assert.Single(await reranker.RerankAsync("q", candidates, new() { Top = 1 }, Stop)).Id);
        Assert.Equal("bb", Assert.Single(await reranker.RerankAsync("q", ["a", "bb"], new() { Top = 1 }, Stop)).Item);
        Assert.Equal("bb", Assert.Single(await reranker.RerankAsync("q", candidates, evidence => evidence.Text, options: new() { Top = 1 }, cancellationToken: Stop)).Item.Id);
        Assert.Equal([1f, 2f], (await reranker.ScoreAsync("q", ["a", "bb"], new() { RawScores = true }, Stop)).Select(score => score.Score));
    }

    [Fact]
    public async Task Rank_ThroughAnInterfaceOfTheApp_AsTheDocsShow()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Assert.Equal([1f, 2f], await new LocalReranker(reranker).RankAsync("q", ["a", "bb"], Stop));
        string source = File.ReadAllText(Path.Combine(Paths.Root, "tests", "SkMmBert.Tests", "Reranking", "LocalReranker.cs"));
        Assert.Contains(source[source.IndexOf("internal interface", StringComparison.Ordinal)..].Trim().ReplaceLineEndings("\n"), File.ReadAllText(Path.Combine(Paths.Root, "docs", "reranking.md")).ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Rerank_BlendZero_FirstStageOrderAndNothingScored()
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Evidence[] candidates = [.. new[] { "a", "bb" }.Select(text => new Evidence { Id = text, Text = text, Score = 1 })];
        IReadOnlyList<Evidence> ranked = await reranker.RerankAsync("q", candidates, new RerankOptions { Blend = 0 }, Stop);
        Assert.Equal(["a", "bb"], ranked.Select(evidence => evidence.Id));
        Assert.Equal(0, reranker.Calls);
        Assert.StartsWith("rerank off", ranked[0].Trail[^1].Stage);
    }

    [Theory]
    [InlineData(0.9f, "long")]
    [InlineData(0.1f, "a")]
    public async Task Rerank_Blend_TheHeavierStageDecides(float weight, string best)
    {
        using FakeReranker reranker = new((_, text) => text.Length);
        Evidence[] candidates = [new() { Id = "a", Text = "a", Score = 1000 }, new() { Id = "long", Text = "long", Score = 10 }, new() { Id = "bb", Text = "bb", Score = 20 }];
        IReadOnlyList<Evidence> ranked = await reranker.RerankAsync("q", candidates, new RerankOptions { Blend = weight }, Stop);
        Assert.Equal(best, ranked[0].Id);
        Assert.Equal(["rerank", "fused"], ranked[0].Trail.Select(stage => stage.Stage));
        Assert.Equal(best == "long" ? 1 : 3, ranked[0].Trail[0].Rank);
    }

    [Fact]
    public async Task Rerank_FailingOpen_LeavesTheOrderAndSaysSo()
    {
        using FakeReranker reranker = new((_, _) => throw new InvalidOperationException("no luck\nat all"));
        Evidence[] candidates = [.. new[] { "a", "b", "c" }.Select((text, i) => new Evidence { Id = text, Text = text, Score = 3 - i })];
        IReadOnlyList<Evidence> ranked = await reranker.RerankAsync("q", candidates, new RerankOptions { FailOpen = true, Top = 2 }, Stop);
        Assert.Equal(["a", "b"], ranked.Select(evidence => evidence.Id));
        Assert.Equal([3f, 2f], ranked.Select(evidence => evidence.Score));
        Assert.Equal("rerank failed: no luck at all", ranked[0].Trail[^1].Stage);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reranker.RerankAsync("q", candidates, cancellationToken: Stop));
    }

    [Fact]
    public async Task Rerank_CancelledWhileFailingOpen_Throws()
    {
        using CancellationTokenSource source = new();
        using FakeReranker reranker = new((_, _) =>
        {
            source.Cancel();
            throw new OperationCanceledException(source.Token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reranker.RerankAsync("q", ["a"], new RerankOptions { FailOpen = true }, source.Token));
    }

    [Fact]
    public async Task Rerank_NaNScore_GoesLast()
    {
        using FakeReranker reranker = new((_, text) => text == "bad" ? float.NaN : text.Length);
        Assert.Equal(["ccc", "a", "bad"], (await reranker.RerankAsync("q", ["bad", "a", "ccc"], cancellationToken: Stop)).Select(item => item.Item));
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public async Task Rerank_BlendOutsideItsRange_Refused(float blend)
    {
        using FakeReranker reranker = new((_, _) => 1);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reranker.RerankAsync("q", ["a"], new RerankOptions { Blend = blend }, Stop));
    }

    [Theory]
    [InlineData("full")]
    [InlineData("progressive")]
    [InlineData("exit:3")]
    [InlineData("deadline:12.5")]
    public void Parse_Effort_SameAsMade(string text) => Assert.Equal(
        text[0] switch { 'f' => RerankEffort.Full, 'p' => RerankEffort.Progressive, 'e' => RerankEffort.Exit(3), _ => RerankEffort.Deadline(TimeSpan.FromMilliseconds(12.5)) },
        RerankEffort.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("exit")]
    [InlineData("exit:0")]
    [InlineData("exit:-1")]
    [InlineData("deadline:-5")]
    [InlineData("deadline:NaN")]
    [InlineData("fast")]
    public void Parse_SomethingElse_SaysWhatIsExpected(string text) => Assert.Contains("exit:LAYER", Assert.Throws<FormatException>(() => RerankEffort.Parse(text)).Message);
}
