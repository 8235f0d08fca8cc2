#:project ../src/SkMmBert/SkMmBert.csproj
#:package Microsoft.Extensions.AI.OpenAI
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using OpenAI;
using SkMmBert;

// The official client. Here it talks to a stand-in that lies in this file; leave out Transport, and it talks to OpenAI.
using MmBertModel model = MmBertModel.Open("models/mini-embed");
var service = new StandInForOpenAI(new MmBertEmbeddingGenerator(model));
OpenAIClientOptions options = new() { Transport = new HttpClientPipelineTransport(new HttpClient(service)) };
IEmbeddingGenerator<string, Embedding<float>> openAI = new OpenAIClient(new ApiKeyCredential("key"), options).GetEmbeddingClient("text-embedding-3-small").AsIEmbeddingGenerator();

string[] described = ["get_weather: weather forecast of a city", "send_email: send a message to a person", "book_flight: flight between two airports", "play_music: song or album",
    "set_alarm: alarm clock for a time", "convert_currency: money from one currency to another", "find_restaurant: restaurant near a place", "create_event: appointment in the calendar"];
AITool[] tools = [.. described.Select(text => text.Split(": ")).Select(tool => AIFunctionFactory.Create(() => "", tool[0], tool[1]))];

// The router takes any generator. It embeds each tool once, and then one text a question.
var router = new ToolRouter(openAI, tools);
foreach (string question in new[] { "Will it rain in Bern tomorrow?", "Wake me up at seven." })
{
    RoutingDecision decision = await router.RouteAsync(question);
    Console.WriteLine($"{question} -> {decision.Tools[0].Name}, {decision.Tools.Count} of {decision.CatalogueSize} tools");
}

// So does the memory, which ties its store to the model: another one's vectors would be refused.
var memory = new AgentMemory(openAI, new InMemoryStore());
await memory.RememberAsync("Ada prefers trains to planes.");
Console.WriteLine((await memory.RecallAsync("Does Ada prefer trains?"))[0].Text);
Console.WriteLine($"the service was asked for {string.Join(", ", service.Models)}, all texts: {service.Texts > described.Length}");

/// <summary>Answers as OpenAI's embeddings endpoint does, with vectors of the mini model.</summary>
sealed class StandInForOpenAI(IEmbeddingGenerator<string, Embedding<float>> vectors) : HttpMessageHandler
{
    public HashSet<string> Models { get; } = [];
    public int Texts { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        JsonNode body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(stop))!;
        Models.Add((string)body["model"]!);
        string[] texts = body["input"] is JsonArray many ? [.. many.Select(text => (string)text!)] : [(string)body["input"]!];
        Texts += texts.Length;
        var made = await vectors.GenerateAsync(texts, cancellationToken: stop);
        var data = made.Select((vector, index) => new { @object = "embedding", index, embedding = Convert.ToBase64String(System.Runtime.InteropServices.MemoryMarshal.AsBytes(vector.Vector.Span)) });
        return new() { Content = new StringContent(JsonSerializer.Serialize(new { @object = "list", data, model = (string)body["model"]!, usage = new { prompt_tokens = 1, total_tokens = 1 } })) };
    }
}

// prints
// Will it rain in Bern tomorrow? -> get_weather, 2 of 8 tools
// Wake me up at seven. -> set_alarm, 4 of 8 tools
// Ada prefers trains to planes.
// the service was asked for text-embedding-3-small, all texts: True
