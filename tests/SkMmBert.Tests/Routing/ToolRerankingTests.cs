using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolRerankingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RouteAsync_BestToolsAlike_RerankerDecides()
    {
        LastFirst reranker = new();
        RoutingDecision plain = await Router(null).RouteAsync("open the blue door", Stop), decision = await Router(reranker).RouteAsync("open the blue door", Stop);
        Assert.Equal(1, reranker.Calls);
        Assert.Equal(8, reranker.Texts);
        Assert.Equal([0, 7], [plain.Candidates[0].Index, decision.Candidates[0].Index]);    // the last of the eight it saw
        Assert.Contains("reranker decided", decision.Reason);
    }

    [Fact]
    public async Task RouteAsync_OneToolStandsOut_RerankerIsNotAsked()
    {
        LastFirst reranker = new();
        RoutingDecision decision = await TestTools.Router(options: new() { Reranker = reranker }).RouteAsync(TestTools.Question(57), Stop);
        Assert.Equal(0, reranker.Calls);
        Assert.Equal(TestTools.Name(57), decision.Tools[0].Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RouteAsync_RerankerFailsOrGivesNoNumbers_SearchDecidesAndSaysSo(bool fails)
    {
        RoutingDecision plain = await Router(null).RouteAsync("open the blue door", Stop);
        RoutingDecision decision = await Router(new LastFirst { Fails = fails, Score = float.NaN }).RouteAsync("open the blue door", Stop);
        Assert.Equal(plain.Candidates.Select(tool => tool.Index), decision.Candidates.Select(tool => tool.Index));
        Assert.Null(decision.Error);
        Assert.Contains(fails ? "The reranker failed: no heads" : "not usable", decision.Reason);
    }

    // Twenty tools that say the same: no search can tell them apart.
    private static ToolRouter Router(Reranker? reranker) =>
        new(new NgramEmbedder(), Enumerable.Range(0, 20).Select(_ => new ToolProfile("open_door") { Description = "Open the blue door" }), new() { Reranker = reranker });

    private sealed class LastFirst : Reranker
    {
        public int Calls { get; private set; }

        public int Texts { get; private set; }

        public bool Fails { get; init; }

        public float Score { get; init; } = 10;

        public override Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
        {
            (Calls, Texts) = (Calls + 1, texts.Count);
            return Fails ? throw new InvalidOperationException("no heads") : Task.FromResult(texts.Select((_, i) => i * Score).ToArray());
        }
    }
}
