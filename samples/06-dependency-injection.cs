#:project ../src/SkMmBert.Hosting/SkMmBert.Hosting.csproj
#:package Microsoft.Extensions.Hosting
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SkMmBert;

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
builder.Configuration["SkMmBert:EmbeddingModel"] = "mini";            // as appsettings.json or an environment would say it
builder.Configuration["SkMmBert:WarmUp"] = "BeforeStart";             // the models are open when the host has started
builder.Services.AddMmBert(builder.Configuration.GetSection("SkMmBert")).AddReranker().AddToolRouter().AddMemory();
builder.Services.AddKeyedMmBert("short", o => o.Dimensions = 64);     // the same opened model, shorter vectors
builder.Services.AddSingleton<TravelAgent>();

using IHost host = builder.Build();
await host.StartAsync();
await host.Services.GetRequiredService<TravelAgent>().RunAsync();
await host.StopAsync();                                               // the host closes the models

sealed class TravelAgent(
    IEmbeddingGenerator<string, Embedding<float>> embedder,
    [FromKeyedServices("short")] IEmbeddingGenerator<string, Embedding<float>> shortEmbedder,
    AgentMemory memory)
{
    public async Task RunAsync()
    {
        Console.WriteLine($"{(await embedder.GenerateVectorAsync("train")).Length} and {(await shortEmbedder.GenerateVectorAsync("train")).Length} dimensions");
        Console.WriteLine($"one model: {embedder.GetService<MmBertModel>() == shortEmbedder.GetService<MmBertModel>()}");
        await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
        IReadOnlyList<Evidence> found = await memory.RecallAsync("Does Ada prefer trains?");
        Console.WriteLine($"{found[0].Text} ({found[0].Source})");
    }
}

// prints
// 256 and 64 dimensions
// one model: True
// Ada prefers trains to planes. (chat/17)
