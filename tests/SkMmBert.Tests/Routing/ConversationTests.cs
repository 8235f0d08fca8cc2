using System.Text.Json;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ConversationTests
{
    private const int Turns = 50;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetResponseAsync_FiftyTurnsOver200Tools_ListOnlyGrowsAndEveryNeededToolIsReached(bool inside)
    {
        // Every fifth turn says nothing of the tool it needs: the model has to search.
        List<string[]> serialised = [];
        HashSet<string> reached = [];
        int turn = 0, searches = 0;
        ScriptedChatClient model = new((messages, options) =>
        {
            serialised.Add([.. options!.Tools!.Select(Serialise)]);
            string needed = TestTools.Name(Needed(turn));
            FunctionResultContent? last = messages[^1].Contents.OfType<FunctionResultContent>().LastOrDefault();
            if (last is not null && !last.Result!.ToString()!.Contains(needed + ":", StringComparison.Ordinal))
            {
                return new(ChatRole.Assistant, $"turn {turn} done");
            }

            if (options.Tools!.Any(tool => tool.Name == needed))
            {
                reached.Add(needed);
                return ToolRoutingChatClientTests.Call(needed);
            }

            searches++;
            Assert.Null(last);  // one search is enough
            return ToolRoutingChatClientTests.Call("find_tools", ("query", TestTools.Question(Needed(turn))));
        });
        (IChatClient chat, InvokingChatClient invoking) = ToolRoutingChatClientTests.Place(model, new NgramEmbedder(), inside, maximumListed: 200);
        List<ChatMessage> messages = [new(ChatRole.System, "You help.")];
        for (turn = 0; turn < Turns; turn++)
        {
            messages.Add(new(ChatRole.User, turn % 5 == 4 ? "Now do the other thing that we spoke of." : TestTools.Question(Needed(turn))));
            ChatResponse response = await chat.GetResponseAsync(messages, new() { Tools = TestTools.Many() }, TestContext.Current.CancellationToken);
            Assert.Equal($"turn {turn} done", response.Messages[^1].Text);
            messages.AddRange(response.Messages);
        }

        for (int i = 1; i < serialised.Count; i++)
        {
            Assert.Equal(serialised[i - 1], serialised[i][..serialised[i - 1].Length]);
        }

        Assert.Equal(Enumerable.Range(0, Turns).Select(i => TestTools.Name(Needed(i))).ToHashSet(), reached);
        Assert.Empty(invoking.NotFound);
        Assert.InRange(searches, 1, Turns / 5);
        int all = TestTools.Many().Sum(tool => Serialise(tool).Length) / 4 * serialised.Count;
        int sent = serialised.Sum(list => list.Sum(tool => tool.Length)) / 4;
        TestContext.Current.SendDiagnosticMessage($"{serialised.Count} model calls, {searches} searches, about {sent:N0} prompt tokens of tools instead of {all:N0}; list at the end {serialised[^1].Length}");
        Assert.InRange(sent, 1, all * 6 / 10);
    }

    [Fact]
    public async Task GetResponseAsync_MoreThanFits_StartsTheListAnewWithWhatIsNeeded()
    {
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(new NgramEmbedder()), maximumListed: 12);
        List<ChatMessage> messages = [];
        for (int turn = 0; turn < 10; turn++)
        {
            messages.Add(new(ChatRole.User, TestTools.Question(turn * 20)));
            await client.GetResponseAsync(messages, new() { Tools = TestTools.Many() }, TestContext.Current.CancellationToken);
            Assert.Contains(TestTools.Name(turn * 20), model.ToolLists[^1]);
            Assert.InRange(model.ToolLists[^1].Length, 1, 13);
            messages.Add(new(ChatRole.Assistant, "ok"));
        }
    }

    [Fact]
    public void Of_Messages_ReadsTurnsCallsAndSearches()
    {
        ToolConversation conversation = ToolConversation.Of(
        [
            new(ChatRole.System, "be nice"),
            new(ChatRole.User, "first"),
            new(ChatRole.User, "still first"),
            new(ChatRole.Assistant, [new FunctionCallContent("1", "find_tools", new Dictionary<string, object?> { ["query"] = JsonSerializer.SerializeToElement("x") })]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "")]),
            new(ChatRole.Assistant, [new FunctionCallContent("2", "do_it")]),
            new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]),
            new(ChatRole.User, "second"),
        ]);
        Assert.Equal(["first\nstill first", "second"], conversation.Turns.Select(turn => turn.Text));
        Assert.Equal(["x"], conversation.Turns[0].Searches);
        Assert.Equal(["do_it"], conversation.Turns[0].Names);
        Assert.Equal(["second", "first\nstill first"], conversation.Question(1, 2));
    }

    [Fact]
    public void Of_QuotationsOfAMemory_AreNotTheUsersWords()
    {
        string quoted = EvidenceFormatter.Format([new Evidence { Id = "1", Text = "Use get_weather." }]);
        ToolConversation conversation = ToolConversation.Of([new(ChatRole.User, "first"), new(ChatRole.User, quoted), new(ChatRole.Assistant, "ok"), new(ChatRole.User, quoted), new(ChatRole.User, "second")]);
        Assert.Equal(["first", "second"], conversation.Turns.Select(turn => turn.Text));
        Assert.Empty(conversation.StickyNames(ToolEntries.Of([new ToolProfile("get_weather")])));
    }

    [Theory]
    [InlineData("call get_weather now", "get_weather")]
    [InlineData("`getWeather`.", "getWeather")]
    [InlineData("get_weatherX", "")]
    [InlineData("", "")]
    public void Named_Text_FindsWholeNames(string text, string expected) =>
        Assert.Equal(expected, string.Join(',', ToolConversation.Named(text, ["get_weather", "getWeather"])));

    private static int Needed(int turn) => (turn * 37) % 200;

    private static string Serialise(AITool tool) => $"{tool.Name}|{tool.Description}|{(tool as AIFunctionDeclaration)?.JsonSchema.GetRawText()}";
}
