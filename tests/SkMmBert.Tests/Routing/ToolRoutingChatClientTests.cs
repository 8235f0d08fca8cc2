using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolRoutingChatClientTests
{
    private const string FindTools = "find_tools";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetResponseAsync_ManyTools_SendsFewAndLeavesTheOptionsAlone(bool streaming)
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        List<AITool> tools = TestTools.Many();
        ChatOptions options = new() { Tools = tools, Temperature = 0.5f };
        Assert.Equal("ok", await AskAsync(client, [new(ChatRole.User, TestTools.Question(11))], options, streaming));
        Assert.Equal(200, options.Tools!.Count);
        Assert.Same(tools, options.Tools);
        Assert.NotSame(options, model.Options[0]);
        Assert.Equal(0.5f, model.Options[0]!.Temperature);
        Assert.InRange(model.ToolLists[0].Length, 2, 17);
        Assert.Contains(TestTools.Name(11), model.ToolLists[0]);
        Assert.Equal(FindTools, model.ToolLists[0][0]);
    }

    [Fact]
    public async Task GetResponseAsync_FewTools_PassesTheOptionsThrough()
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        ChatOptions options = new() { Tools = TestTools.Many(7) };
        await client.GetResponseAsync("hello", options, Stop);
        Assert.Same(options, model.Options[0]);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task GetResponseAsync_InsideOrOutside_RunsARoutedToolAndRoutesOncePerTurn(bool inside, bool streaming)
    {
        NgramEmbedder embedder = new();
        ScriptedChatClient model = new((messages, _) => messages[^1].Role == ChatRole.Tool ? new(ChatRole.Assistant, "finished") : Call(TestTools.Name(25)));
        (IChatClient chat, InvokingChatClient invoking) = Place(model, embedder, inside);
        Assert.Equal("finished", await AskAsync(chat, [new(ChatRole.User, TestTools.Question(25))], new() { Tools = TestTools.Many() }, streaming));
        Assert.Equal([TestTools.Name(25)], invoking.Invoked);
        Assert.Equal(2, model.ToolLists.Count);
        Assert.Equal(model.ToolLists[0], model.ToolLists[1]);
        Assert.Equal(200 + ToolBackground.Texts.Length + 1, embedder.Texts);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task GetResponseAsync_ModelSearchesForAHiddenTool_FindsAndCallsIt(bool inside, bool streaming)
    {
        // The question is about one tool, the model finds out that it needs another.
        string hidden = TestTools.Name(150);
        ScriptedChatClient model = new((messages, options) =>
        {
            FunctionResultContent? last = messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault();
            return last is null ? Call(FindTools, ("query", TestTools.Question(150)))
                : last.Result?.ToString()!.Contains(hidden + ":", StringComparison.Ordinal) is true ? Call(hidden)
                : new(ChatRole.Assistant, $"finished: {last.Result}");
        });
        (IChatClient chat, InvokingChatClient invoking) = Place(model, new NgramEmbedder(), inside);
        Assert.EndsWith($"finished: {hidden} done", await AskAsync(chat, [new(ChatRole.User, TestTools.Question(3))], new() { Tools = TestTools.Many() }, streaming));
        Assert.DoesNotContain(hidden, model.ToolLists[0]);
        Assert.Contains(hidden, model.ToolLists[1]);
        Assert.Equal(model.ToolLists[0], model.ToolLists[1][..model.ToolLists[0].Length]);
        Assert.Equal(hidden, invoking.Invoked[^1]);
        Assert.Empty(invoking.NotFound);
    }

    [Fact]
    public async Task GetResponseAsync_NoFunctionInvokingClientAtAll_AnswersTheSearchItself()
    {
        ScriptedChatClient model = new((messages, _) => messages.Count > 1 ? new(ChatRole.Assistant, "found it") : Call(FindTools, ("query", "rename a survey")));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        ChatResponse response = await client.GetResponseAsync(TestTools.Question(0), new() { Tools = TestTools.Many() }, Stop);
        Assert.Equal("found it", response.Messages[^1].Text);
        Assert.Equal(3, response.Messages.Count);
        Assert.Equal(2, response.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task GetResponseAsync_SearchBesideAnotherCall_BothAreAnswered()
    {
        ScriptedChatClient model = new((messages, _) => messages.Any(message => message.Role == ChatRole.Tool)
            ? new(ChatRole.Assistant, "finished")
            : new(ChatRole.Assistant, [new FunctionCallContent("s", FindTools, new Dictionary<string, object?> { ["query"] = "share a poem" }), new FunctionCallContent("c", TestTools.Name(4))]));
        (IChatClient chat, InvokingChatClient invoking) = Place(model, new NgramEmbedder(), inside: true);
        ChatResponse response = await chat.GetResponseAsync(TestTools.Question(4), new() { Tools = TestTools.Many() }, Stop);
        Assert.Equal("finished", response.Messages[^1].Text);
        Assert.Equal([TestTools.Name(4)], invoking.Invoked);
        Assert.Equal(["c", "s"], response.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Select(result => result.CallId).Order());
    }

    [Fact]
    public async Task GetResponseAsync_ModelOnlySearches_ComesToAnEnd()
    {
        ScriptedChatClient model = new((_, _) => Call(FindTools, ("query", "again")));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        ChatResponse response = await client.GetResponseAsync(TestTools.Question(0), new() { Tools = TestTools.Many() }, Stop);
        Assert.InRange(model.ToolLists.Count, 2, 8);
        Assert.NotEmpty(response.Messages);
    }

    [Fact]
    public async Task GetResponseAsync_OutsideWithAdditionalTools_HiddenToolStaysCallable()
    {
        string hidden = TestTools.Name(150);
        ScriptedChatClient model = new((messages, _) => messages[^1].Role == ChatRole.Tool ? new(ChatRole.Assistant, "finished") : Call(hidden));
        (IChatClient chat, InvokingChatClient invoking) = Place(model, new NgramEmbedder(), inside: false);
        await chat.GetResponseAsync(TestTools.Question(3), cancellationToken: Stop);
        Assert.DoesNotContain(hidden, model.ToolLists[0]);
        Assert.Equal([hidden], invoking.Invoked);
    }

    [Fact]
    public async Task GetResponseAsync_RouterFails_SendsEverything()
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder { Before = (_, _) => throw new IOException("gone") }));
        await client.GetResponseAsync(TestTools.Question(0), new() { Tools = TestTools.Many() }, Stop);
        Assert.Equal(200, model.ToolLists[0].Length);
    }

    [Fact]
    public async Task GetResponseAsync_RequiredTool_IsListed()
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        await client.GetResponseAsync(TestTools.Question(0), new() { Tools = TestTools.Many(), ToolMode = ChatToolMode.RequireSpecific(TestTools.Name(170)) }, Stop);
        Assert.Contains(TestTools.Name(170), model.ToolLists[0]);
    }

    [Fact]
    public async Task GetResponseAsync_ServiceKeepsTheConversation_ListOnlyGrows()
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok")) { ConversationId = "c1" };
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()));
        ChatOptions options = new() { Tools = TestTools.Many(), ConversationId = "c1" };
        await client.GetResponseAsync(TestTools.Question(20), options, Stop);
        await client.GetResponseAsync(TestTools.Question(120), options, Stop);
        Assert.Equal(model.ToolLists[0], model.ToolLists[1][..model.ToolLists[0].Length]);
        Assert.Contains(TestTools.Name(120), model.ToolLists[1]);
    }

    internal static ChatMessage Call(string name, params (string Key, object? Value)[] arguments) =>
        new(ChatRole.Assistant, [new FunctionCallContent(Guid.NewGuid().ToString("N"), name, arguments.ToDictionary(pair => pair.Key, pair => pair.Value))]);

    internal static (IChatClient Chat, InvokingChatClient Invoking) Place(IChatClient model, NgramEmbedder embedder, bool inside, int maximumListed = 128)
    {
        ToolRouter router = new(embedder, TestTools.Many());
        if (inside)
        {
            InvokingChatClient outer = new(new ToolRoutingChatClient(model, router, maximumListed));
            return (outer, outer);
        }

        InvokingChatClient inner = new(model) { AdditionalTools = router.CallableTools };
        return (new ToolRoutingChatClient(inner, router, maximumListed), inner);
    }

    private static async Task<string> AskAsync(IChatClient chat, ChatMessage[] messages, ChatOptions options, bool streaming)
    {
        if (!streaming)
        {
            return (await chat.GetResponseAsync(messages, options, Stop)).Text;
        }

        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in chat.GetStreamingResponseAsync(messages, options, Stop))
        {
            updates.Add(update);
        }

        return updates.ToChatResponse().Text;
    }
}
