using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolRouterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RouteAsync_NoTools_GivesEmptyDecision()
    {
        RoutingDecision decision = await new ToolRouter(new NgramEmbedder()).RouteAsync("anything", Stop);
        Assert.Empty(decision.Tools);
        Assert.Null(decision.Error);
    }

    [Fact]
    public async Task RouteAsync_FewerThanMinimum_PassesAllOnWithoutEmbedding()
    {
        NgramEmbedder embedder = new();
        RoutingDecision decision = await TestTools.Router(embedder, count: 7).RouteAsync("delete the invoice", Stop);
        Assert.Equal(7, decision.Tools.Count);
        Assert.All(decision.Tools, tool => Assert.Equal(ToolInclusion.All, tool.Inclusion));
        Assert.Equal(0, embedder.Calls);
    }

    [Fact]
    public async Task RouteAsync_OneTool_MinimumZero_Decides()
    {
        RoutingDecision decision = await TestTools.Router(options: new() { MinimumCatalogue = 0 }, count: 1).RouteAsync(TestTools.Question(0), Stop);
        Assert.Equal(TestTools.Name(0), Assert.Single(decision.Tools).Name);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(57)]
    [InlineData(199)]
    public async Task RouteAsync_QuestionForOneTool_PutsItFirstInAShortList(int tool)
    {
        RoutingDecision decision = await TestTools.Router().RouteAsync(TestTools.Question(tool), Stop);
        Assert.Equal(TestTools.Name(tool), decision.Tools[0].Name);
        Assert.InRange(decision.Tools.Count, 1, 12);
        Assert.False(decision.Abstained);
        Assert.Contains(TestTools.Name(tool), decision.Reason);
        Assert.True(decision.Candidates.Zip(decision.Candidates.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score));
    }

    [Fact]
    public async Task RouteAsync_NothingFits_AbstainsWithTheScoresThatMissed()
    {
        RoutingDecision decision = await TestTools.Router(options: new() { Calibration = ToolCalibration.Default with { Threshold = 0.9f } }).RouteAsync("zzyx qwv kjh", Stop);
        Assert.True(decision.Abstained);
        Assert.Empty(decision.Tools);
        Assert.NotEmpty(decision.Candidates);
        Assert.True(decision.Confidence < decision.Threshold);
    }

    [Fact]
    public async Task RouteAsync_ThresholdZero_NeverAbstains() =>
        Assert.False((await TestTools.Router(options: new() { Calibration = ToolCalibration.Default with { Threshold = 0 } }).RouteAsync("zzyx qwv", Stop)).Abstained);

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t")]
    public async Task RouteAsync_EmptyQuestion_Abstains(string query) => Assert.True((await TestTools.Router().RouteAsync(query, Stop)).Abstained);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 10)]
    [InlineData(500, 200)]
    public async Task RouteAsync_Top_GivesExactlyThatManyBestFirst(int top, int expected)
    {
        RoutingDecision decision = await TestTools.Router(options: new() { Top = top }).RouteAsync("zzyx unrelated words", Stop);
        Assert.Equal(expected, decision.Tools.Count);
        Assert.False(decision.Abstained);
        Assert.Equal(expected, decision.Tools.Select(tool => tool.Index).Distinct().Count());
        Assert.True(decision.Tools.Zip(decision.Tools.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score));
    }

    [Fact]
    public async Task RouteAsync_ExampleUtterance_Decides()
    {
        List<ToolProfile> profiles = [.. Enumerable.Range(0, 20).Select(i => new ToolProfile($"tool{i}") { Description = "does something" })];
        profiles[13] = profiles[13] with { Examples = ["my grandmother lost her umbrella", "where is the umbrella"] };
        RoutingDecision decision = await new ToolRouter(new NgramEmbedder(), profiles).RouteAsync("has anybody seen the umbrella", Stop);
        Assert.Equal("tool13", decision.Tools[0].Name);
    }

    [Fact]
    public async Task RouteAsync_SameNameInTwoPlugins_KeepsThemApart()
    {
        List<ToolProfile> profiles = [.. Enumerable.Range(0, 10).Select(i => new ToolProfile($"other{i}") { Description = "nothing of interest" })];
        profiles.Add(new ToolProfile("search") { Plugin = "mail", Description = "Search letters in the mailbox" });
        profiles.Add(new ToolProfile("search") { Plugin = "music", Description = "Search songs and albums" });
        ToolRouter router = new(new NgramEmbedder(), profiles);
        Assert.Equal("mail.search", (await router.RouteAsync("search my mailbox for letters", Stop)).Tools[0].Name);
        Assert.Equal("music.search", (await router.RouteAsync("search songs of an album", Stop)).Tools[0].Name);
    }

    [Fact]
    public async Task RouteAsync_AlwaysIncluded_IsThereEvenWhenAbstaining()
    {
        ToolRouter router = TestTools.Router(options: new() { AlwaysInclude = profile => profile.Name == TestTools.Name(42), Calibration = ToolCalibration.Default with { Threshold = 1.1f } });
        RoutingDecision decision = await router.RouteAsync(TestTools.Question(3), Stop);
        Assert.True(decision.Abstained);
        Assert.Equal(TestTools.Name(42), Assert.Single(decision.Tools).Name);
    }

    [Fact]
    public async Task RouteAsync_RequiredCalledPendingAndNamed_AreIncluded()
    {
        ChatMessage[] messages =
        [
            new(ChatRole.User, $"Start with {TestTools.Name(100)} please"),
            new(ChatRole.Assistant, [new FunctionCallContent("1", TestTools.Name(120))]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "ok")]),
            new(ChatRole.Assistant, [new ToolApprovalRequestContent("a", new FunctionCallContent("2", TestTools.Name(140)))]),
            new(ChatRole.User, TestTools.Question(3)),
        ];
        RoutingDecision decision = await TestTools.Router().RouteAsync(messages, new() { ToolMode = ChatToolMode.RequireSpecific(TestTools.Name(160)) }, Stop);
        string[] names = [.. decision.Tools.Select(tool => tool.Name)];
        Assert.Equal(TestTools.Name(3), names[0]);
        Assert.Superset(new HashSet<string> { TestTools.Name(100), TestTools.Name(120), TestTools.Name(140), TestTools.Name(160) }, names.ToHashSet());
    }

    [Fact]
    public async Task RouteAsync_EmbedderFails_PassesAllOnAndSaysWhy()
    {
        NgramEmbedder broken = new() { Before = (_, _) => throw new IOException("no model") };
        RoutingDecision decision = await TestTools.Router(broken).RouteAsync("delete the invoice", Stop);
        Assert.Equal(200, decision.Tools.Count);
        Assert.IsType<IOException>(decision.Error);
    }

    [Fact]
    public async Task RouteAsync_Cancelled_ThrowsAndKeepsWhatIsEmbedded()
    {
        using CancellationTokenSource source = new();
        NgramEmbedder embedder = new() { Before = (texts, _) => texts.Count == 256 ? Task.CompletedTask : source.CancelAsync() };
        ToolRouter router = new(embedder, Enumerable.Range(0, 300).Select(i => new ToolProfile($"tool{i}")));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => { await router.IndexAsync(source.Token); source.Token.ThrowIfCancellationRequested(); });
        int before = embedder.Texts;
        await router.IndexAsync(Stop);
        Assert.InRange(embedder.Texts - before, 0, 300 - 256 + 30);
    }

    [Fact]
    public async Task RouteAsync_ConcurrentFirstCalls_BuildOnce()
    {
        NgramEmbedder embedder = new();
        ToolRouter router = TestTools.Router(embedder);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => router.RouteAsync(TestTools.Question(i), Stop))));
        Assert.Equal(200 + ToolBackground.Texts.Length + 16, embedder.Texts);
    }

    [Fact]
    public async Task RouteAsync_NewInstancesOfTheSameTools_EmbedOnlyTheQuestion()
    {
        NgramEmbedder embedder = new();
        ToolRouter router = new(embedder);
        ChatMessage[] messages = [new(ChatRole.User, TestTools.Question(5))];
        await router.RouteAsync(messages, new() { Tools = TestTools.Many() }, Stop);
        int before = embedder.Texts;
        RoutingDecision decision = await router.RouteAsync(messages, new() { Tools = TestTools.Many() }, Stop);
        Assert.Equal(1, embedder.Texts - before);
        Assert.Equal(TestTools.Name(5), decision.Tools[0].Name);
    }

    [Fact]
    public async Task RouteAsync_OneToolAdded_EmbedsOneTool()
    {
        NgramEmbedder embedder = new();
        ToolRouter router = new(embedder);
        ChatMessage[] messages = [new(ChatRole.User, "unveil the statue")];
        await router.RouteAsync(messages, new() { Tools = TestTools.Many() }, Stop);
        int before = embedder.Texts;
        RoutingDecision decision = await router.RouteAsync(messages, new() { Tools = [.. TestTools.Many(), TestTools.Tool("unveil_statue", "Unveils a statue")] }, Stop);
        Assert.Equal(2, embedder.Texts - before);
        Assert.Equal("unveil_statue", decision.Tools[0].Name);
    }

    [Fact]
    public async Task RouteAsync_EarlierTurn_ColoursAShortFollowUp()
    {
        ChatMessage[] messages = [new(ChatRole.User, TestTools.Question(77)), new(ChatRole.Assistant, "Done."), new(ChatRole.User, "and once more")];
        RoutingDecision decision = await TestTools.Router().RouteAsync(messages, cancellationToken: Stop);
        Assert.Contains(decision.Candidates.Take(5), tool => tool.Name == TestTools.Name(77));
    }

    [Fact]
    public void Constructor_ImpossibleOptions_SayWhatIsExpected()
    {
        Assert.Contains("MaximumTools is 2", Assert.Throws<ArgumentOutOfRangeException>(() => TestTools.Router(options: new() { MinimumTools = 3, MaximumTools = 2 })).Message);
        Assert.Contains("Top is 0", Assert.Throws<ArgumentOutOfRangeException>(() => TestTools.Router(options: new() { Top = 0 })).Message);
        Assert.Contains("TurnDecay", Assert.Throws<ArgumentOutOfRangeException>(() => TestTools.Router(options: new() { TurnDecay = float.NaN })).Message);
    }
}
