using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.AgentFramework.Tests;

public sealed class MemoryFunctionTests
{
    private const string Fact = "Ada prefers trains to planes.";

    private static readonly MmBertMemoryProviderOptions s_onDemand = new() { Mode = MmBertMemoryMode.OnDemand };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AgentMemory Memory(Func<string, float[]>? embed = null) => new(new HashedGenerator { Embed = embed }, new InMemoryStore());

    [Fact]
    public async Task RunAsync_OnDemand_OffersThreeFunctionsAndStoresNothingItself()
    {
        AgentMemory memory = Memory();
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, _ => new() { User = "ada" }, s_onDemand)]);
        await scripted.Agent.RunAsync(Fact, await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal(["recall", "remember", "forget"], scripted.ToolLists[^1]);
        Assert.Equal(0, await memory.CountAsync(cancellationToken: Stop));
    }

    [Fact]
    public async Task RunAsync_ModelRemembersRecallsAndForgets_InItsScope()
    {
        AgentMemory memory = Memory();
        Assert.Equal("Remembered.", await CallAsync(memory, "ada", "remember", ("text", Fact)));
        Assert.Equal("That was remembered before.", await CallAsync(memory, "ada", "remember", ("text", Fact)));
        string found = await CallAsync(memory, "ada", "recall", ("question", "Does Ada prefer trains?"));
        Assert.Contains(Fact, found);
        string id = found[(found.LastIndexOf(" is ", StringComparison.Ordinal) + 4)..];
        Assert.Equal("Nothing is remembered about that.", await CallAsync(memory, "bob", "recall", ("question", "Does Ada prefer trains?")));
        Assert.StartsWith("There is no item", await CallAsync(memory, "bob", "forget", ("id", id)));
        Assert.Equal(1, await memory.CountAsync(cancellationToken: Stop));
        Assert.Equal("Forgotten.", await CallAsync(memory, "ada", "forget", ("id", id)));
        Assert.StartsWith("There is no item", await CallAsync(memory, "ada", "forget", ("id", id)));
        Assert.Equal(0, await memory.CountAsync(cancellationToken: Stop));
    }

    [Fact]
    public async Task Forget_AnItemOfAnInnerScope_IsRefused()
    {
        AgentMemory memory = Memory();
        await memory.RememberAsync([new MemoryItem { Id = "1", Text = Fact, Scope = new() { User = "ada" } }], cancellationToken: Stop);
        Assert.StartsWith("The item '1' is not this conversation's", await CallAsync(memory, null, "forget", ("id", "1")));
        Assert.Equal(1, await memory.CountAsync(cancellationToken: Stop));
    }

    [Fact]
    public async Task Remember_WhatRedactLeavesNothingOf_IsNotStored()
    {
        AgentMemory memory = Memory();
        Assert.StartsWith("Nothing was stored", await CallAsync(memory, "ada", "remember", s_onDemand with { Redact = _ => "" }, ("text", Fact)));
        Assert.Equal(0, await memory.CountAsync(cancellationToken: Stop));
    }

    [Theory]
    [InlineData("recall", "question", "The memory cannot be read now.")]
    [InlineData("remember", "text", "The memory cannot be written now.")]
    public async Task Functions_MemoryFails_SayItAndTellTheHost(string name, string parameter, string expected)
    {
        List<Exception> errors = [];
        AgentMemory memory = Memory(_ => throw new IOException("gone"));
        Assert.Equal(expected, await CallAsync(memory, "ada", name, s_onDemand with { OnError = errors.Add }, (parameter, "trains")));
        Assert.Single(errors);
    }

    [Fact]
    public async Task Functions_EmptyOrMissingArgument_SayWhatIsExpected()
    {
        Assert.Equal("The argument 'question' is empty. Expected a text.", await CallAsync(Memory(), "ada", "recall"));
        Assert.Equal("The argument 'text' is empty. Expected a text.", await CallAsync(Memory(), "ada", "remember", ("text", " ")));
    }

    private static Task<string> CallAsync(AgentMemory memory, string? user, string name, params (string, object?)[] arguments) => CallAsync(memory, user, name, s_onDemand, arguments);

    // One run of a real agent in which the model calls the function; gives what the function returned to it.
    private static async Task<string> CallAsync(AgentMemory memory, string? user, string name, MmBertMemoryProviderOptions options, params (string, object?)[] arguments)
    {
        string? result = null;
        ScriptedAgent scripted = new([new MmBertMemoryProvider(memory, _ => new() { User = user }, options)], answer: messages =>
        {
            result = ScriptedAgent.LastResult(messages);
            return result is null ? ScriptedAgent.Call(name, arguments) : new(ChatRole.Assistant, "done");
        });
        AgentResponse response = await scripted.Agent.RunAsync("go", await scripted.NewSessionAsync(), cancellationToken: Stop);
        Assert.Equal("done", response.Messages[^1].Text);
        return result!;
    }
}
