using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>The verbs of a kernel builder and of services, over the models of the repository.</summary>
public sealed class BuilderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skmmbert-sk-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Mini(MmBertOptions options) => options.ModelsFolder = Path.Combine(Paths.Root, "models");

    [Fact]
    public async Task Builder_OneLine_AddsEverythingOverOneModelEach()
    {
        IKernelBuilder builder = Kernel.CreateBuilder();
        builder.AddMmBertEmbeddingGenerator("mini", configure: Mini).AddMmBertRerankingFilter().AddMmBertToolRouter().AddMmBertMemoryPlugin(Path.Combine(_folder, "memory.db"), new() { User = "ada" });
        Kernel kernel = builder.Build();
        await using ServiceProvider services = (ServiceProvider)kernel.Services;
        IEmbeddingGenerator<string, Embedding<float>> generator = kernel.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        Assert.Same(generator, kernel.GetRequiredService<IEmbeddingGenerator>());
        Assert.Equal(generator.GetService<MmBertModel>()!.Manifest.Dimensions.Max(), (await generator.GenerateVectorAsync("train")).Length);
        Assert.IsType<MmBertRerankingFilter>(kernel.FunctionInvocationFilters[0]);
        ToolRoutingFilter routing = Assert.IsType<ToolRoutingFilter>(kernel.FunctionInvocationFilters[1]);
        Assert.Same(routing, Assert.Single(kernel.PromptRenderFilters));
        Assert.Same(routing, Assert.Single(kernel.AutoFunctionInvocationFilters));
        Assert.Equal(["memory", "tools"], kernel.Plugins.Select(plugin => plugin.Name).Order());
        Assert.Equal("Stored.", (await kernel.InvokeAsync("memory", "remember", new() { ["text"] = "Ada prefers trains to planes." })).GetValue<string>());
        Assert.Contains("trains to planes", (await kernel.InvokeAsync("memory", "recall", new() { ["question"] = "Does Ada prefer trains?" })).GetValue<string>());
        Assert.True(File.Exists(Path.Combine(_folder, "memory.db")));
        Assert.Equal(new MemoryScope { User = "ada" }, (await services.GetRequiredService<AgentMemory>().ListAsync().SingleAsync()).Scope);
    }

    [Fact]
    public async Task Services_ByKeyAndWithout_AreTheirOwnWithOneModel()
    {
        ServiceCollection services = new();
        services.AddKernel();
        services.AddMmBertEmbeddingGenerator("mini", configure: Mini)
            .AddMmBertEmbeddingGenerator("mini", "short", options =>
            {
                Mini(options);
                options.Dimensions = 64;
            })
            .AddMmBertMemoryPlugin(memory => memory.UseStore(_ => new InMemoryStore()), kernel => new() { User = (string?)kernel.Data["user"] });
        await using ServiceProvider provider = services.BuildServiceProvider();
        Kernel kernel = provider.GetRequiredService<Kernel>();
        IEmbeddingGenerator<string, Embedding<float>> whole = kernel.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        IEmbeddingGenerator<string, Embedding<float>> part = kernel.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>("short");
        Assert.Equal(64, (await part.GenerateVectorAsync("train")).Length);
        Assert.Same(whole.GetService<MmBertModel>(), part.GetService<MmBertModel>());
        kernel.Data["user"] = "ada";
        await kernel.InvokeAsync("memory", "remember", new() { ["text"] = "Ada prefers trains to planes." });
        Assert.Equal("ada", (await provider.GetRequiredService<AgentMemory>().ListAsync().SingleAsync()).Scope!.User);
    }

    [Fact]
    public async Task RerankingFilter_OfTheContainer_ScoresWithItsReranker()
    {
        IKernelBuilder builder = Kernel.CreateBuilder();
        builder.AddMmBertRerankingFilter(new() { Functions = function => function.Name == "find" }, configure: Mini);
        Kernel kernel = builder.Build();
        await using ServiceProvider services = (ServiceProvider)kernel.Services;
        string[] texts = ["send_email: Send an email message", "get_weather: Get the current weather for a city", "book_flight: Book a flight between two airports"];
        kernel.Plugins.AddFromFunctions("search", [KernelFunctionFactory.CreateFromMethod((string query, int count = 3) => texts.Take(count).ToList(), "find")]);
        List<string> found = (await kernel.InvokeAsync("search", "find", new() { ["query"] = "What is the weather in Paris?", ["count"] = 3 })).GetValue<List<string>>()!;
        float[] scores = await services.GetRequiredService<Reranker>().ScoreAsync("What is the weather in Paris?", found);
        Assert.Equal(texts.Order(), found.Order());
        Assert.Equal(scores.OrderDescending(), scores);
    }

    [Fact]
    public void Builder_NothingOpened_UntilItIsUsed()
    {
        IKernelBuilder builder = Kernel.CreateBuilder();
        builder.AddMmBertEmbeddingGenerator("no-such-model");
        Kernel kernel = builder.Build();
        DirectoryNotFoundException error = Assert.Throws<DirectoryNotFoundException>(() => kernel.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Contains("no-such-model", error.Message);
    }
}
