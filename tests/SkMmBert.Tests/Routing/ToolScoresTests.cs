using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolScoresTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.4f, 0.4f)]
    [InlineData(0.6f, 0.4f, 0.8f)]                      // half the profile, half the example
    [InlineData(0.525f, 0.4f, 0.5f, 0.7f)]              // of two examples: the best 0.7, both 0.6
    [InlineData(0.525f, 0.4f, 0.5f, 0.7f, 0.6f, 0.1f)]  // the best of four 0.7, the best three 0.6
    public void Best_Rows_IsHalfTheProfileHalfTheExamples(float expected, params float[] rows) => Assert.Equal(expected, ToolScores.Best(rows), 1e-6f);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mix_AnyTool_IsTheWeightedSumOfItsFeatures(bool described)
    {
        ToolRouter router = new(new NgramEmbedder(), Enumerable.Range(0, 50).Select(i => new ToolProfile(TestTools.Name(i)) { Description = described ? TestTools.Question(i) : null }));
        (_, _, ToolIndex index, _) = await router.SearchAsync("x", 1, Stop);
        Assert.Equal(described ? 1 : 0, index.Described);
        ToolQuery query = await router.EmbedAsync([TestTools.Question(7) + " and the unheard-of thing"], index.Match.Width, Stop);
        using ToolScores scores = ToolScores.Of(index, query);
        float[] mixed = new float[index.Count];
        ToolMixer.Mix(scores, index.Described, ToolMixer.Weights, mixed);
        for (int tool = 0; tool < index.Count; tool++)
        {
            Assert.Equal(ToolMixer.Features(scores, index.Described, tool).Zip(ToolMixer.Weights, (feature, weight) => feature * weight).Sum(), mixed[tool], 1e-4f);
        }
    }

    [Fact]
    public async Task RouteAsync_HalfOfTheCatalogueDescribed_CountsHalf()
    {
        ToolRouter router = new(new NgramEmbedder(), Enumerable.Range(0, 10).Select(i => new ToolProfile(TestTools.Name(i)) { Description = i % 2 == 0 ? "Does it" : " " }));
        Assert.Equal(0.5f, (await router.SearchAsync("x", 1, Stop)).Index.Described);
    }

    [Theory]
    [InlineData(0f, 12)]
    [InlineData(1f, 1)]
    public async Task RouteAsync_MinimumChance_BoundsTheList(float chance, int expected)
    {
        ToolCalibration calibration = ToolCalibration.Default with { MinimumChance = chance, Threshold = 0 };
        Assert.Equal(expected, (await TestTools.Router(options: new() { Calibration = calibration }).RouteAsync(TestTools.Question(5), Stop)).Tools.Count);
    }

    [Fact]
    public async Task RouteAsync_ToolsAllAlike_ListStaysWithinTheMaximum()
    {
        ToolProfile[] alike = [.. Enumerable.Range(0, 100).Select(i => new ToolProfile($"door{i}") { Description = "Opens the door" })];
        RoutingDecision decision = await new ToolRouter(new NgramEmbedder(), alike).RouteAsync("open the door", Stop);
        Assert.InRange(decision.Tools.Count, 1, 12);
    }
}
