using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class BadInputTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RouteAsync_OddProfiles_StillFindsTheOtherTools()
    {
        string properties = string.Join(',', Enumerable.Range(0, 1_000).Select(i => $"\"p{i}\":{{\"description\":\"{new string('x', 50)}\"}}"));
        string schema = "{\"type\":\"object\",\"properties\":{" + properties + "}}";
        List<AITool> tools =
        [
            .. TestTools.Many(20),
            TestTools.Tool("no_description"),
            TestTools.Tool("empty_description", ""),
            TestTools.Tool("long_description", new string('y', 100_000)),
            AIFunctionFactory.CreateDeclaration("thousand_parameters", "Takes a lot", JsonElement.Parse(schema)),
            TestTools.Tool("control\u0001\u0000characters\u001B", "x\u0007y"),
            TestTools.Tool("天気予報", "都市の天気"),
            TestTools.Tool("___", "..."),
        ];
        ToolRouter router = new(new NgramEmbedder(), tools);
        RoutingDecision decision = await router.RouteAsync(TestTools.Question(7), Stop);
        Assert.Null(decision.Error);
        Assert.Equal(TestTools.Name(7), decision.Tools[0].Name);
        Assert.Equal("天気予報", (await router.RouteAsync("明日の天気予報", Stop)).Tools[0].Name);
    }

    [Fact]
    public async Task RouteAsync_MegabyteQuestion_IsCutAndAnswered()
    {
        StringBuilder query = new();
        while (query.Length < 1_000_000)
        {
            query.Append("lorem ipsum dolor. ");
        }

        int longest = 0;
        NgramEmbedder embedder = new() { Before = (texts, _) => { longest = Math.Max(longest, texts.Max(text => text.Length)); return Task.CompletedTask; } };
        RoutingDecision decision = await TestTools.Router(embedder).RouteAsync(query + TestTools.Question(31), Stop);
        Assert.Contains(decision.Candidates.Take(5), tool => tool.Name == TestTools.Name(31));
        Assert.InRange(longest, 1, 4_100);
    }

    [Fact]
    public async Task RouteAsync_LoneSurrogates_IsAnswered() => Assert.Null((await TestTools.Router().RouteAsync("\uD83D" + new string('a', 5_000) + "\uDE00", Stop)).Error);

    [Fact]
    public async Task RouteAsync_VectorsOfChangingWidth_PassesAllOn()
    {
        ToolRouter router = new(new WaveringEmbedder(), TestTools.Many(20));
        RoutingDecision decision = await router.RouteAsync("delete the invoice", Stop);
        Assert.Equal(20, decision.Tools.Count);
        Assert.Contains("dimensions", Assert.IsType<InvalidOperationException>(decision.Error).Message);
    }

    [Fact]
    public async Task RouteAsync_ZeroVectors_StillRoutesByWords()
    {
        ToolRouter router = new(new ZeroEmbedder(), TestTools.Many());
        RoutingDecision decision = await router.RouteAsync(TestTools.Question(88), Stop);
        Assert.Null(decision.Error);
        Assert.Equal(TestTools.Name(88), decision.Candidates[0].Name);
        Assert.True(float.IsFinite(decision.Confidence));
    }

    [Fact]
    public async Task GetResponseAsync_CatalogueChangesDuringTheCall_IsAnswered()
    {
        List<AITool> tools = TestTools.Many();
        NgramEmbedder embedder = new() { Before = (_, _) => { tools.RemoveAt(0); return Task.CompletedTask; } };
        ScriptedChatClient model = new((_, _) => new(ChatRole.Assistant, "ok"));
        using ToolRoutingChatClient client = new(model, new ToolRouter(embedder));
        ChatResponse response = await client.GetResponseAsync(TestTools.Question(9), new() { Tools = tools }, Stop);
        Assert.Equal("ok", response.Text);
        Assert.Contains(TestTools.Name(9), model.ToolLists[0]);
    }

    private class ZeroEmbedder : IEmbeddingGenerator<string, Embedding<float>>
    {
        public virtual Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(_ => new Embedding<float>(new float[8]))));

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private sealed class WaveringEmbedder : ZeroEmbedder
    {
        public override Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select((_, i) => new Embedding<float>(new float[8 + (i % 2)]))));
    }
}
