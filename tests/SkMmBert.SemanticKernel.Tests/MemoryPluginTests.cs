using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Memory as functions of a kernel and as context of an agent.</summary>
public sealed class MemoryPluginTests
{
    private static readonly MemoryScope Ada = new() { User = "ada" }, Bob = new() { User = "bob" };

    private readonly AgentMemory _memory = new(new HashedGenerator(), new InMemoryStore());

    private Kernel KernelOf(MemoryScope scope)
    {
        Kernel kernel = new();
        kernel.Plugins.Add(new MmBertMemoryPlugin(_memory, scope).ToKernelPlugin());
        return kernel;
    }

    private static async Task<string> CallAsync(Kernel kernel, string function, params (string Name, object? Value)[] arguments) =>
        (await kernel.InvokeAsync("memory", function, new KernelArguments(arguments.ToDictionary(pair => pair.Name, pair => pair.Value)))).GetValue<string>()!;

    [Fact]
    public async Task Plugin_RememberRecallForget_Work()
    {
        Kernel kernel = KernelOf(Ada);
        Assert.Equal("Stored.", await CallAsync(kernel, "remember", ("text", "Ada prefers \"trains\" to planes."), ("source", "chat/17")));
        Assert.Equal("This was known already.", await CallAsync(kernel, "remember", ("text", "Ada prefers \"trains\" to planes.")));
        Assert.Equal("Nothing was stored: the text is empty.", await CallAsync(kernel, "remember", ("text", " ")));
        JsonElement found = JsonDocument.Parse(await CallAsync(kernel, "recall", ("question", "Ada prefers trains or planes?"))).RootElement[0];
        Assert.Equal("Ada prefers \"trains\" to planes.", found.GetProperty("text").GetString());
        Assert.Equal("chat/17", found.GetProperty("source").GetString());
        Assert.Equal("Removed.", await CallAsync(kernel, "forget", ("id", found.GetProperty("id").GetString())));
        Assert.Equal("Nothing stored answers this.", await CallAsync(kernel, "recall", ("question", "Ada prefers trains or planes?")));
        Assert.StartsWith("There is no stored fact", await CallAsync(kernel, "forget", ("id", "nothing")));
        Assert.StartsWith("There is no stored fact", await CallAsync(kernel, "forget", ("id", "")));
    }

    [Fact]
    public async Task Plugin_Scopes_AreTheHostsAndNoArgument()
    {
        Kernel ada = KernelOf(Ada), bob = KernelOf(Bob);
        await CallAsync(ada, "remember", ("text", "Ada prefers trains to planes."), ("scope", "user=bob"));
        await _memory.RememberAsync("Everybody prefers trains to planes.", scope: MemoryScope.Shared);
        Assert.DoesNotContain("Ada", await CallAsync(bob, "recall", ("question", "prefers trains to planes"), ("scope", "user=ada")));
        JsonElement[] found = [.. JsonDocument.Parse(await CallAsync(ada, "recall", ("question", "prefers trains to planes"))).RootElement.EnumerateArray()];
        Assert.Equal(2, found.Length);
        // Shared items can be seen and not be removed.
        string shared = found.Single(item => item.GetProperty("text").GetString()!.StartsWith("Everybody", StringComparison.Ordinal)).GetProperty("id").GetString()!;
        Assert.StartsWith("There is no stored fact", await CallAsync(ada, "forget", ("id", shared)));
        Assert.Equal(2, await _memory.CountAsync());
        foreach (KernelFunctionMetadata function in ada.Plugins["memory"].GetFunctionsMetadata())
        {
            Assert.True(function.Description.Length > 40);
            Assert.DoesNotContain(function.Parameters, parameter => parameter.Name is "scope" or "kernel" or "cancellationToken" || string.IsNullOrEmpty(parameter.Description));
        }
    }

    [Fact]
    public async Task Plugin_ScopeOfTheKernel_IsReadForEachCall()
    {
        MmBertMemoryPlugin plugin = new(_memory, kernel => new MemoryScope { User = (string)kernel.Data["user"]! });
        Kernel kernel = new();
        kernel.Plugins.AddFromObject(plugin, "memory");
        kernel.Data["user"] = "ada";
        await CallAsync(kernel, "remember", ("text", "Ada prefers trains to planes."));
        kernel.Data["user"] = "bob";
        Assert.Equal("Nothing stored answers this.", await CallAsync(kernel, "recall", ("question", "Ada prefers trains to planes")));
        kernel.Data.Remove("user");
        await Assert.ThrowsAsync<KeyNotFoundException>(() => CallAsync(kernel, "recall", ("question", "trains")));
    }

    private static ChatMessage User(string text) => new(ChatRole.User, text);

    [Fact]
    public async Task ContextProvider_Turn_IsRemindedOfEarlierOnesAndNotOfItself()
    {
        MemoryContextProvider provider = new(_memory, new() { Scope = Ada, Recall = new() { Top = 2, Floor = 0.3f } });
        await provider.MessageAddingAsync("chat-1", User("Ada prefers trains to planes."));
        await provider.MessageAddingAsync("chat-1", new ChatMessage(ChatRole.Assistant, "Trains it is for Ada."));
        Assert.Equal(1, await _memory.CountAsync());
        ChatMessage question = User("Ada prefers trains?");
        await provider.MessageAddingAsync("chat-2", question);
        AIContext context = await provider.ModelInvokingAsync([question]);
        Assert.Contains("Ada prefers trains to planes.", context.Instructions);
        Assert.Contains("source=\"chat-1\"", context.Instructions);
        Assert.DoesNotContain("Ada prefers trains?", context.Instructions);
        Assert.Empty(context.AIFunctions);
        Assert.Null((await provider.ModelInvokingAsync([])).Instructions);
        MemoryContextProvider others = new(_memory, new() { Scope = Bob, Recall = new() { Top = 2, Floor = 0.3f } });
        Assert.Null((await others.ModelInvokingAsync([question])).Instructions);
    }

    [Fact]
    public async Task ContextProvider_RedactionAndChoice_DecideWhatIsKept()
    {
        MemoryContextProvider provider = new(_memory, new()
        {
            Scope = Ada, Remember = message => message.Role == ChatRole.Assistant, Redact = text => text.Contains("secret") ? null : text.Replace("4471", "****"),
        });
        await provider.MessageAddingAsync(null, User("my own words"));
        await provider.MessageAddingAsync(null, new ChatMessage(ChatRole.Assistant, "the secret is out"));
        await provider.MessageAddingAsync(null, new ChatMessage(ChatRole.Assistant, "card 4471 is yours"));
        List<string> kept = await _memory.ListAsync().Select(item => item.Text).ToListAsync();
        Assert.Equal(["card **** is yours"], kept);
    }

    [Fact]
    public async Task ContextProvider_OnDemand_GivesTheFunctionsInItsScope()
    {
        MemoryContextProvider provider = new(_memory, new() { Scope = Ada, OnDemand = true });
        AIContext context = await provider.ModelInvokingAsync([User("hello")]);
        Assert.Equal(["memory_remember", "memory_recall", "memory_forget"], context.AIFunctions.Select(function => function.Name));
        Assert.Null(context.Instructions);
        await ((KernelFunction)context.AIFunctions[0]).InvokeAsync(new Kernel(), new() { ["text"] = "Ada prefers trains." });
        Assert.Equal(Ada, (await _memory.ListAsync().SingleAsync()).Scope);
    }

    [Fact]
    public async Task ContextProvider_FailingMemory_LetsTheAgentGoOn()
    {
        AgentMemory broken = new(new HashedGenerator { Embed = _ => throw new IOException("model gone") }, new InMemoryStore());
        MemoryContextProvider provider = new(broken, new() { Scope = Ada });
        await provider.MessageAddingAsync(null, User("Ada prefers trains."));
        Assert.Null((await provider.ModelInvokingAsync([User("trains?")])).Instructions);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => provider.ModelInvokingAsync([User("trains?")], new CancellationToken(canceled: true)));
    }
}
