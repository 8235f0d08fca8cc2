using System.Text.Json;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.AgentFramework.Tests;

public sealed class MemoryProviderTests
{
    private const string Fact = "Ada prefers trains to planes.", Question = "Does Ada prefer trains?";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AgentMemory Memory(Func<string, float[]>? embed = null, Reranker? reranker = null) =>
        new(new HashedGenerator { Embed = embed }, new InMemoryStore(), new MemoryOptions { Reranker = reranker });

    private static MemoryScope Ada(AgentSession? session) => new() { User = "ada" };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_AnotherSessionOfTheSameScope_QuotesWhatWasSaid(bool streaming)
    {
        ScriptedAgent scripted = new([new MmBertMemoryProvider(Memory(), Ada)]);
        await RunAsync(scripted, Fact, await scripted.NewSessionAsync(), streaming);
        Assert.Empty(scripted.Quoted);
        await RunAsync(scripted, Question, await scripted.NewSessionAsync(), streaming);
        Assert.Contains(Fact, scripted.Quoted);
        Assert.Contains("source=\"session/", scripted.Quoted);
        Assert.Equal(Question, scripted.Requests[^1][0]);
        Assert.Equal("Be brief.", scripted.Options[^1]!.Instructions);
    }

    [Fact]
    public async Task RunAsync_NoScopeGiven_SessionsDoNotSeeEachOther()
    {
        AgentMemory memory = Memory();
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory)]);
        AgentSession first = await scripted.NewSessionAsync(), second = await scripted.NewSessionAsync();
        await scripted.Agent.RunAsync(Fact, first, cancellationToken: Stop);
        await scripted.Agent.RunAsync(Question, second, cancellationToken: Stop);
        Assert.Empty(scripted.Quoted);
        Assert.Equal(2, await CountScopesAsync(memory));
    }

    [Fact]
    public async Task RunAsync_ScopesOfTwoUsers_AreFencedAndAskedOfTheHostEachRun()
    {
        string user = "ada";
        ScriptedAgent scripted = new([new MmBertMemoryProvider(Memory(), _ => new MemoryScope { User = user })]);
        await scripted.Agent.RunAsync(Fact, await scripted.NewSessionAsync(), cancellationToken: Stop);
        user = "bob";
        AgentSession session = await scripted.NewSessionAsync();
        await scripted.Agent.RunAsync(Question, session, cancellationToken: Stop);
        Assert.Empty(scripted.Quoted);
        user = "ada";
        await scripted.Agent.RunAsync("And what does Ada prefer now, trains?", session, cancellationToken: Stop);
        Assert.Contains(Fact, scripted.Quoted);
    }

    [Fact]
    public async Task RunAsync_FencedSessionsOfAUser_SeeTheUsersOwnItemsOnly()
    {
        AgentMemory memory = Memory();
        await memory.RememberAsync(Fact, scope: new() { User = "ada" }, cancellationToken: Stop);
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada, new() { FenceSessions = true })]);
        await scripted.Agent.RunAsync("Ada sold her car on Monday.", await scripted.NewSessionAsync(), cancellationToken: Stop);
        await scripted.Agent.RunAsync("Does Ada prefer trains? Has Ada sold her car on Monday?", await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains(Fact, scripted.Quoted);
        Assert.DoesNotContain("sold her car on Monday.", scripted.Quoted);
    }

    [Fact]
    public async Task SerializeSessionAsync_ThenDeserialize_KeepsTheFenceAndNoScope()
    {
        AgentMemory memory = Memory();
        ScriptedAgent before = new([new MmBertMemoryProvider(memory, options: new() { StateKey = "mine" })]);
        AgentSession session = await before.NewSessionAsync();
        await before.Agent.RunAsync(Fact, session, cancellationToken: Stop);
        JsonElement saved = await before.Agent.SerializeSessionAsync(session, cancellationToken: Stop);
        JsonElement state = saved.GetProperty("stateBag").GetProperty("mine");
        Assert.Equal(["Id", "Runs"], state.EnumerateObject().Select(property => property.Name));
        Assert.Equal(1, state.GetProperty("Runs").GetInt32());

        // Another process: another agent and provider over the same store; its history does not hold the fact, only its memory does.
        ScriptedAgent after = new([new MmBertMemoryProvider(memory, options: new() { StateKey = "mine" })]);
        JsonElement withoutHistory = JsonElement.Parse($$"""{"stateBag":{"mine":{{state.GetRawText()}} } }""");
        AgentSession restored = await after.Agent.DeserializeSessionAsync(withoutHistory, cancellationToken: Stop);
        await after.Agent.RunAsync(Question, restored, cancellationToken: Stop);
        Assert.Contains(Fact, after.Quoted);
        Assert.Contains($"session/{state.GetProperty("Id").GetString()}/1/user", after.Quoted);
    }

    [Fact]
    public async Task RunAsync_SaidInTheSameConversation_IsNotQuotedAgain()
    {
        ScriptedAgent scripted = new([new MmBertMemoryProvider(Memory(), Ada)]);
        AgentSession session = await scripted.NewSessionAsync();
        await scripted.Agent.RunAsync(Fact, session, cancellationToken: Stop);
        await scripted.Agent.RunAsync(Question, session, cancellationToken: Stop);
        Assert.Empty(scripted.Quoted);
        AgentSession other = await scripted.NewSessionAsync();
        await scripted.Agent.RunAsync(Question, other, cancellationToken: Stop);
        await scripted.Agent.RunAsync(Question, other, cancellationToken: Stop);
        Assert.Single(scripted.Requests[^1], text => text.Contains(Fact, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_NothingRelevant_AddsNothing()
    {
        ScriptedAgent scripted = new([new MmBertMemoryProvider(Memory(), Ada)]);
        await scripted.Agent.RunAsync(Fact, await scripted.NewSessionAsync(), cancellationToken: Stop);
        await scripted.Agent.RunAsync("Boiling point of nitrogen?", await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal(["Boiling point of nitrogen?"], scripted.Requests[^1]);
        await scripted.Agent.RunAsync(new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]), await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal([""], scripted.Requests[^1]);
    }

    [Fact]
    public async Task RunAsync_Items_CarryRoleAuthorAndTime()
    {
        AgentMemory memory = Memory();
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada)], answer: _ => new(ChatRole.Assistant, "Trains it is."));
        DateTimeOffset time = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        await scripted.Agent.RunAsync(new ChatMessage(ChatRole.User, Fact) { AuthorName = "Ada", CreatedAt = time }, await scripted.NewSessionAsync(), cancellationToken: Stop);
        List<MemoryItem> items = await ItemsAsync(memory);
        Assert.Equal([Fact, "Trains it is."], items.Select(item => item.Text));
        Assert.Equal(["user", "assistant"], items.Select(item => item.Metadata["role"]));
        Assert.Equal("Ada", items[0].Metadata["author"]);
        Assert.Equal(time, items[0].Time);
    }

    [Fact]
    public async Task RunAsync_RedactAndRemembers_DecideWhatIsStored()
    {
        AgentMemory memory = Memory();
        MmBertMemoryProviderOptions options = new()
        {
            Remembers = message => message.Role == ChatRole.User,
            Redact = text => text.Contains("secret", StringComparison.Ordinal) ? null : text.Replace("0171 234567", "[phone]", StringComparison.Ordinal),
        };
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada, options)]);
        await scripted.Agent.RunAsync("Ada's number is 0171 234567.", await scripted.NewSessionAsync(), cancellationToken: Stop);
        await scripted.Agent.RunAsync("This is a secret.", await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal(["Ada's number is [phone]."], (await ItemsAsync(memory)).Select(item => item.Text));
    }

    [Fact]
    public async Task RunAsync_MemoryFails_TheAgentGoesOnAndTheHostIsTold()
    {
        List<Exception> errors = [];
        AgentMemory memory = Memory(embed: _ => throw new IOException("the disk is gone"));
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada, new() { OnError = errors.Add })]);
        AgentResponse response = await scripted.Agent.RunAsync(Question, await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal("I see.", response.Text);
        Assert.Equal(["the disk is gone", "the disk is gone"], errors.Select(error => error.Message));  // once for the recall, once for the write
        Assert.Equal([Question], scripted.Requests[^1]);
    }

    [Fact]
    public async Task RunAsync_RerankerFails_QuotesInTheFirstOrder()
    {
        List<Exception> errors = [];
        AgentMemory memory = Memory(reranker: new FakeReranker((_, _) => throw new InvalidOperationException("no heads")));
        await memory.RememberAsync(Fact, scope: new() { User = "ada" }, cancellationToken: Stop);
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada, new() { OnError = errors.Add })]);
        await scripted.Agent.RunAsync(Question, await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Contains(Fact, scripted.Quoted);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task RunAsync_ModelFails_StoresNothing()
    {
        AgentMemory memory = Memory();
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, Ada)], answer: _ => throw new HttpRequestException("no model"));
        await Assert.ThrowsAsync<HttpRequestException>(async () => await scripted.Agent.RunAsync(Fact, await scripted.NewSessionAsync(), cancellationToken: Stop));
        Assert.Equal(0, await memory.CountAsync(cancellationToken: Stop));
    }

    [Fact]
    public async Task RunAsync_CancelledBefore_IsCancelledAndNotSwallowed()
    {
        ScriptedAgent scripted = new([new MmBertMemoryProvider(Memory(), Ada)]);
        AgentSession session = await scripted.NewSessionAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scripted.Agent.RunAsync(Question, session, cancellationToken: new CancellationToken(canceled: true)));
        Assert.Empty(scripted.Requests);
    }

    [Fact]
    public void Constructor_OptionsThatCannotBeRight_AreRefused()
    {
        Assert.Throws<ArgumentNullException>(() => new MmBertMemoryProvider(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MmBertMemoryProvider(Memory(), options: new() { MaximumCharacters = 0 }));
        Assert.Throws<ArgumentException>(() => new MmBertMemoryProvider(Memory(), options: new() { StateKey = " " }));
        Assert.Equal(["MmBertMemoryProvider"], new MmBertMemoryProvider(Memory()).StateKeys);
    }

    private static async Task RunAsync(ScriptedAgent scripted, string text, AgentSession session, bool streaming)
    {
        if (!streaming)
        {
            await scripted.Agent.RunAsync(text, session, cancellationToken: Stop);
            return;
        }

        await foreach (AgentResponseUpdate update in scripted.Agent.RunStreamingAsync(text, session, cancellationToken: Stop))
        {
            Assert.NotNull(update);
        }
    }

    private static async Task<List<MemoryItem>> ItemsAsync(AgentMemory memory)
    {
        List<MemoryItem> items = [];
        await foreach (MemoryItem item in memory.ListAsync(cancellationToken: Stop))
        {
            items.Add(item);
        }

        return items;
    }

    private static async Task<int> CountScopesAsync(AgentMemory memory) => (await ItemsAsync(memory)).Select(item => item.Scope).Distinct().Count();
}
