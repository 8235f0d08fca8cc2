using System.Text.Json;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.AgentFramework.Tests;

public sealed class ToolRouterProviderTests
{
    private const string FindTools = "find_tools";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static MmBertToolRouterProvider Provider(NgramEmbedder? embedder = null, Action<RoutingDecision>? onDecision = null, int maximumListed = 128) =>
        new(new ToolRouter(embedder ?? new NgramEmbedder()), maximumListed, onDecision);

    [Fact]
    public async Task RunAsync_ManyTools_TakesAwayWhatTheRunDoesNotNeed()
    {
        List<AITool> tools = TestTools.Many();
        ScriptedAgent scripted = new([Provider()], tools);
        await scripted.Agent.RunAsync(TestTools.Question(11), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal(FindTools, scripted.ToolLists[0][0]);
        Assert.Contains(TestTools.Name(11), scripted.ToolLists[0]);
        Assert.InRange(scripted.ToolLists[0].Length, 2, 17);
        Assert.Equal(200, tools.Count);
        Assert.Equal("Be brief.", scripted.Options[0]!.Instructions);
    }

    [Fact]
    public async Task RunAsync_HiddenToolIsSearched_AndCalledInTheSameRun()
    {
        string hidden = TestTools.Name(150);
        ScriptedAgent scripted = new([Provider()], TestTools.Many(), messages => ScriptedAgent.LastResult(messages) switch
        {
            null => ScriptedAgent.Call(FindTools, ("query", TestTools.Question(150))),
            { } found when found.Contains(hidden + ":", StringComparison.Ordinal) => ScriptedAgent.Call(hidden),
            { } result => new(ChatRole.Assistant, $"finished: {result}"),
        });
        AgentSession session = await scripted.NewSessionAsync();
        AgentResponse response = await scripted.Agent.RunAsync(TestTools.Question(3), session, cancellationToken: Stop);
        Assert.Equal($"finished: {hidden} done", response.Messages[^1].Text);
        Assert.DoesNotContain(hidden, scripted.ToolLists[0]);
        Assert.Contains(hidden, scripted.ToolLists[1]);
        Assert.Equal(scripted.ToolLists[0], scripted.ToolLists[1][..scripted.ToolLists[0].Length]);

        // It stays in the session.
        await scripted.Agent.RunAsync(TestTools.Question(60), session, cancellationToken: Stop);
        Assert.Equal(scripted.ToolLists[1], scripted.ToolLists[^1][..scripted.ToolLists[1].Length]);
    }

    [Fact]
    public async Task RunAsync_TwentyTurnsWithARestart_TheListOnlyGrows()
    {
        ScriptedAgent scripted = new([Provider()], TestTools.Many());
        AgentSession session = await scripted.NewSessionAsync();
        string[] before = [];
        for (int turn = 0; turn < 20; turn++)
        {
            if (turn == 10)
            {
                // Another process: everything new but the session's saved state, without the history.
                JsonElement state = (await scripted.Agent.SerializeSessionAsync(session, cancellationToken: Stop)).GetProperty("stateBag").GetProperty(nameof(MmBertToolRouterProvider));
                scripted = new([Provider()], TestTools.Many());
                session = await scripted.Agent.DeserializeSessionAsync(JsonElement.Parse($$"""{"stateBag":{"{{nameof(MmBertToolRouterProvider)}}":{{state.GetRawText()}} } }"""), cancellationToken: Stop);
            }

            int needed = (turn * 20 % 200) + (turn / 10);
            await scripted.Agent.RunAsync(TestTools.Question(needed), session, cancellationToken: Stop);
            Assert.Contains(TestTools.Name(needed), scripted.ToolLists[^1]);
            Assert.Equal(before, scripted.ToolLists[^1][..before.Length]);
            before = scripted.ToolLists[^1];
        }

        Assert.InRange(before.Length, 20, 129);
    }

    [Fact]
    public async Task RunAsync_TwoSessions_HaveListsOfTheirOwn()
    {
        ScriptedAgent scripted = new([Provider()], TestTools.Many());
        await scripted.Agent.RunAsync(TestTools.Question(11), await scripted.NewSessionAsync(), cancellationToken: Stop);
        await scripted.Agent.RunAsync(TestTools.Question(150), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.DoesNotContain(TestTools.Name(11), scripted.ToolLists[1]);
    }

    [Fact]
    public async Task RunAsync_ListWouldGrowTooLong_StartsAnew()
    {
        ScriptedAgent scripted = new([Provider(maximumListed: 20)], TestTools.Many());
        AgentSession session = await scripted.NewSessionAsync();
        for (int turn = 0; turn < 15; turn++)
        {
            await scripted.Agent.RunAsync(TestTools.Question(turn * 37 % 200), session, cancellationToken: Stop);
            Assert.Contains(TestTools.Name(turn * 37 % 200), scripted.ToolLists[^1]);
            Assert.InRange(scripted.ToolLists[^1].Length, 2, 21);
        }
    }

    [Fact]
    public async Task RunAsync_RouterFails_ShowsEverythingAndTellsWhy()
    {
        RoutingDecision? decision = null;
        ScriptedAgent scripted = new([Provider(new NgramEmbedder { Before = (_, _) => throw new IOException("gone") }, made => decision = made)], TestTools.Many());
        AgentResponse response = await scripted.Agent.RunAsync(TestTools.Question(0), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal("I see.", response.Text);
        Assert.Equal(TestTools.Many().Select(tool => tool.Name), scripted.ToolLists[0]);
        Assert.IsType<IOException>(decision!.Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public async Task RunAsync_FewTools_AreLeftAlone(int count)
    {
        ScriptedAgent scripted = new([Provider()], TestTools.Many(count));
        await scripted.Agent.RunAsync("hello", await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal(TestTools.Many(count).Select(tool => tool.Name), scripted.ToolLists[0]);
    }

    [Fact]
    public async Task RunAsync_NoTools_UsesTheRoutersCatalogue()
    {
        ScriptedAgent scripted = new([new MmBertToolRouterProvider(TestTools.Router())]);
        await scripted.Agent.RunAsync(TestTools.Question(11), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains(TestTools.Name(11), scripted.ToolLists[0]);
        Assert.InRange(scripted.ToolLists[0].Length, 2, 17);
    }

    [Fact]
    public async Task RunAsync_LastOfTheProviders_RoutesTheirToolsToo()
    {
        ScriptedAgent scripted = new([new ToolGivingProvider(TestTools.Many()[100..]), Provider()], TestTools.Many(100));
        await scripted.Agent.RunAsync(TestTools.Question(150), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains(TestTools.Name(150), scripted.ToolLists[0]);
        Assert.InRange(scripted.ToolLists[0].Length, 2, 17);
    }

    [Fact]
    public async Task RunAsync_WithAMemory_ItsFunctionsStayAndItsQuotationsDoNotRoute()
    {
        AgentMemory memory = new(new HashedGenerator(), new InMemoryStore());
        await memory.RememberAsync($"{TestTools.Question(11)} Please.", cancellationToken: Stop);
        List<RoutingDecision> decisions = [];
        ScriptedAgent functions = new([new MmBertMemoryProvider(memory, _ => MemoryScope.Shared, new() { Mode = MmBertMemoryMode.OnDemand }), Provider()], TestTools.Many());
        await functions.Agent.RunAsync(TestTools.Question(150), await functions.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal([FindTools, "recall", "remember", "forget"], functions.ToolLists[0][..4]);

        ScriptedAgent quoting = new([new MmBertMemoryProvider(memory, _ => MemoryScope.Shared, new() { Recall = new() { Floor = 0 } }), Provider(onDecision: decisions.Add)], TestTools.Many());
        ScriptedAgent plain = new([Provider(onDecision: decisions.Add)], TestTools.Many());
        await quoting.Agent.RunAsync(TestTools.Question(11), await quoting.NewSessionAsync(), cancellationToken: Stop);
        await plain.Agent.RunAsync(TestTools.Question(11), await plain.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains("Please.", quoting.Quoted);
        Assert.Equal(decisions[1].Reason, decisions[0].Reason);
    }

    [Fact]
    public async Task RunAsync_ToolRequiredByTheAgent_IsListed()
    {
        ScriptedAgent scripted = new([Provider()], TestTools.Many(), mode: ChatToolMode.RequireSpecific(TestTools.Name(170)));
        await scripted.Agent.RunAsync(TestTools.Question(0), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains(TestTools.Name(170), scripted.ToolLists[0]);
    }

    [Fact]
    public async Task RunAsync_ToolsOfTheRunsOptions_AreRoutedToo()
    {
        ScriptedAgent scripted = new([Provider()], TestTools.Many(100));
        ChatClientAgentRunOptions options = new(new ChatOptions { Tools = TestTools.Many()[100..] });
        await scripted.Agent.RunAsync(TestTools.Question(150), await scripted.NewSessionAsync(), options, Stop);
        Assert.Contains(TestTools.Name(150), scripted.ToolLists[0]);
        Assert.InRange(scripted.ToolLists[0].Length, 2, 17);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_ChatClientRoute_RoutesBelowTheAgentWithEveryToolCallable(bool streaming)
    {
        string hidden = TestTools.Name(150);
        ScriptedChatClient model = new((messages, _) => messages[^1].Role == ChatRole.Tool ? new(ChatRole.Assistant, ScriptedAgent.LastResult(messages)!) : ScriptedAgent.Call(hidden));
        ChatClientAgent agent = new(new ToolRoutingChatClient(model, new ToolRouter(new NgramEmbedder())), tools: TestTools.Many());
        AgentSession session = await agent.CreateSessionAsync(Stop);
        string text = streaming
            ? string.Concat(await agent.RunStreamingAsync(TestTools.Question(3), session, cancellationToken: Stop).Select(update => update.Text).ToListAsync(Stop))
            : (await agent.RunAsync(TestTools.Question(3), session, cancellationToken: Stop)).Messages[^1].Text;
        Assert.Equal($"{hidden} done", text);
        Assert.DoesNotContain(hidden, model.ToolLists[0]);
        Assert.Contains(hidden, model.ToolLists[1]);    // called in this conversation: it stays
    }

    [Fact]
    public void Constructor_ArgumentsThatCannotBeRight_AreRefused()
    {
        Assert.Throws<ArgumentNullException>(() => new MmBertToolRouterProvider(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => Provider(maximumListed: 0));
    }

    private sealed class ToolGivingProvider(IEnumerable<AITool> tools) : AIContextProvider
    {
        protected override ValueTask<AIContext> ProvideAIContextAsync(InvokingContext context, CancellationToken cancellationToken = default) => new(new AIContext { Tools = tools });
    }
}
