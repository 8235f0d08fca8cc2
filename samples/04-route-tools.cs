#:project ../src/SkMmBert/SkMmBert.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using Microsoft.Extensions.AI;
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-embed");
(string Name, string Does)[] described =
[
    ("get_weather", "Get the weather forecast of a city"), ("send_email", "Send an email message to a person"),
    ("book_flight", "Book a flight between two airports"), ("play_music", "Play a song or an album"),
    ("set_alarm", "Set an alarm clock for a time"), ("convert_currency", "Convert an amount of money from one currency to another"),
    ("translate_text", "Translate a text into another language"), ("find_restaurant", "Find a restaurant near a place"),
    ("create_event", "Add an appointment to the calendar"), ("turn_on_light", "Switch a lamp in the house on or off"),
];
AITool[] tools = [.. described.Select(tool => AIFunctionFactory.Create((string input) => $"{tool.Name}: {input}", tool.Name, tool.Does))];
var router = new ToolRouter(new MmBertEmbeddingGenerator(model), tools);

foreach (string question in new[] { "Will it rain in Bern tomorrow?", "Wie wird das Wetter in Bern?", "Explain quantum entanglement." })
{
    RoutingDecision decision = await router.RouteAsync(question);
    Console.WriteLine($"{question} -> {(decision.Abstained ? "no tool fits" : string.Join(", ", decision.Tools.Select(tool => tool.Name)))}");
}

// Before a chat client the model sees only those, and find_tools with which it can ask for more.
IChatClient chat = new ToolRoutingChatClient(new ScriptedChatClient(), router);
ChatResponse answer = await chat.GetResponseAsync("Will it rain in Bern tomorrow?", new() { Tools = [.. tools] });
Console.WriteLine(answer.Text);

/// <summary>Stands for a real model: it says which tools it was shown.</summary>
sealed class ScriptedChatClient : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default) =>
        Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "The model was shown: " + string.Join(", ", options!.Tools!.Select(tool => tool.Name)))));

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default) =>
        throw new NotSupportedException("This client does not stream.");

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}

// prints
// Will it rain in Bern tomorrow? -> get_weather, book_flight, create_event
// Wie wird das Wetter in Bern? -> get_weather, set_alarm, book_flight
// Explain quantum entanglement. -> no tool fits
// The model was shown: find_tools, get_weather, book_flight, create_event
