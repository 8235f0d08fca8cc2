#:project ../src/SkMmBert.SemanticKernel/SkMmBert.SemanticKernel.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using SkMmBert;

string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
IKernelBuilder builder = Kernel.CreateBuilder();
builder.AddMmBertEmbeddingGenerator("mini").AddMmBertRerankingFilter().AddMmBertMemoryPlugin(Path.Combine(folder, "memory.db"), new() { User = "ada" });
builder.Services.AddSingleton(new ScriptedChatClient().AsBuilder().UseKernelFunctionInvocation().Build());
builder.Plugins.AddFromFunctions("search", [KernelFunctionFactory.CreateFromMethod(Find, "find")]);
Kernel kernel = builder.Build();

// The model remembers and recalls through the memory plugin; whose memory that is, it cannot choose.
PromptExecutionSettings settings = new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };
Console.WriteLine(await kernel.InvokePromptAsync("Remember: Ada prefers trains to planes.", new(settings)));
Console.WriteLine(await kernel.InvokePromptAsync("Does Ada prefer trains?", new(settings)));

// The filter asks a marked search for more than wanted, scores all of it with the question, and keeps the best.
KernelArguments one = new() { ["query"] = "What is the weather in Paris?", ["count"] = 1 };
Console.WriteLine((await kernel.InvokeAsync<List<string>>("search", "find", one))![0]);
((IDisposable)kernel.Services).Dispose();
Directory.Delete(folder, recursive: true);

[RerankResults]
static List<string> Find(string query, int count = 2)
{
    Console.WriteLine($"the search was asked for {count}");
    return [.. new[] { "send_email: Send an email message", "get_weather: Get the current weather for a city", "book_flight: Book a flight between two airports" }.Take(count)];
}

/// <summary>Stands for a real model: it calls remember or recall and says what came back.</summary>
sealed class ScriptedChatClient : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default)
    {
        ChatMessage last = messages.Last();
        (string function, string argument) = last.Text.StartsWith("Remember") ? ("memory_remember", "text") : ("memory_recall", "question");
        AIContent answer = last.Contents.OfType<Microsoft.Extensions.AI.FunctionResultContent>().FirstOrDefault()?.Result?.ToString() is not { } result
            ? new Microsoft.Extensions.AI.FunctionCallContent("1", function, new Dictionary<string, object?> { [argument] = last.Text.Replace("Remember: ", "") })
            : new Microsoft.Extensions.AI.TextContent(result.StartsWith('[') ? $"Recalled: {JsonDocument.Parse(result).RootElement[0].GetProperty("text")}" : result);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [answer])));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken stop = default) =>
        throw new NotSupportedException("This client does not stream.");

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("script") : null;

    public void Dispose() { }
}

// prints
// Stored.
// Recalled: Ada prefers trains to planes.
// the search was asked for 4
// get_weather: Get the current weather for a city
