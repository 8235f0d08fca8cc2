#:project ../src/SkMmBert.AgentFramework/SkMmBert.AgentFramework.csproj
#:package Microsoft.Agents.AI
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-embed");
var embedder = new MmBertEmbeddingGenerator(model);
string user = "ada";    // a host takes it from its sign-in, never from the model
var memory = new MmBertMemoryProvider(new AgentMemory(embedder, new InMemoryStore()), _ => new MemoryScope { User = user });
var tools = new MmBertToolRouterProvider(new ToolRouter(embedder));     // last, so that it sees all tools
AITool[] catalogue =
[
    Tool("get_weather", "Get the weather forecast of a city"), Tool("send_email", "Send an email message to a person"),
    Tool("book_train", "Book a train ticket between two stations"), Tool("book_flight", "Book a flight between two airports"),
    Tool("play_music", "Play a song or an album"), Tool("set_alarm", "Set an alarm clock for a time"),
    Tool("translate_text", "Translate a text into another language"), Tool("find_restaurant", "Find a restaurant near a place"),
    Tool("create_event", "Add an appointment to the calendar"), Tool("turn_on_light", "Switch a lamp in the house on or off"),
];
AIAgent agent = new ChatClientAgent(new ScriptedChatClient(), new ChatClientAgentOptions { ChatOptions = new() { Tools = catalogue }, AIContextProviders = [memory, tools] });

Console.WriteLine(await agent.RunAsync("I prefer trains to planes.", await agent.CreateSessionAsync()));
Console.WriteLine(await agent.RunAsync("Do I prefer trains? Book me a ticket to Bern.", await agent.CreateSessionAsync()));   // another session of Ada
user = "bob";
Console.WriteLine(await agent.RunAsync("Do I prefer trains?", await agent.CreateSessionAsync()));

static AITool Tool(string name, string does) => AIFunctionFactory.Create((string input) => $"{name}: done", name, does);

/// <summary>Stands for a real model: it calls a tool that books trains when it is shown one, and says what it was shown.</summary>
sealed class ScriptedChatClient : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default)
    {
        ChatMessage[] all = [.. messages];
        string quoted = string.Join(", ", all.SelectMany(message => message.Text.Split('\n')).Where(line => line.StartsWith("I prefer") && all[0].Text != line));
        if (all[^1].Contents.OfType<FunctionResultContent>().FirstOrDefault() is { } result)
        {
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, $"remembered: {quoted}; {result.Result}")));
        }

        return Task.FromResult(new ChatResponse(all[0].Text.Contains("ticket") && options!.Tools!.Any(tool => tool.Name == "book_train")
            ? new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("1", "book_train", new Dictionary<string, object?> { ["input"] = "Bern" })])
            : new ChatMessage(ChatRole.Assistant, $"remembered: {(quoted == "" ? "nothing" : quoted)}; shown {options?.Tools?.Count ?? 0} tools")));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}

// prints
// remembered: nothing; shown 2 tools
// remembered: I prefer trains to planes.; book_train: done
// remembered: nothing; shown 4 tools
