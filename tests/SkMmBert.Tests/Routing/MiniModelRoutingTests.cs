using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests.Routing;

/// <summary>Sixty tools described in English and questions in six languages (the folder Languages), with the model that lies in the repository.</summary>
public sealed class MiniModelRoutingTests
{
    private static readonly string s_folder = Path.Combine(Paths.Root, "tests", "SkMmBert.Tests", "Routing", "Languages");

    [Theory]
    [InlineData("en", 58)]
    [InlineData("de", 51)]
    [InlineData("fr", 53)]
    [InlineData("es", 55)]
    [InlineData("ja", 48)]
    [InlineData("zh", 53)]
    public async Task RouteAsync_ALanguageOverEnglishTools_FindsTheToolAmongFive(string language, int least)
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        ToolRouter router = new(new MmBertEmbeddingGenerator(model), Tools(), new() { Top = 5 });
        JsonElement[] questions = [.. Rows($"queries_{language}.jsonl")];
        int hits = 0;
        foreach (JsonElement question in questions)
        {
            RoutingDecision decision = await router.RouteAsync(question.GetProperty("query").GetString()!, TestContext.Current.CancellationToken);
            hits += decision.Tools.Any(tool => tool.Name == question.GetProperty("tools")[0].GetString()) ? 1 : 0;
        }

        TestContext.Current.SendDiagnosticMessage($"hit@5 in {language}: {hits} of {questions.Length}");
        Assert.Equal(60, questions.Length);     // one for each tool
        Assert.InRange(hits, least, 60);
    }

    [Fact]
    public async Task RouteAsync_SmallTalk_IsLessSureThanARequest()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        ToolRouter router = new(new MmBertEmbeddingGenerator(model), Tools());
        RoutingDecision talk = await router.RouteAsync("I had a lovely dream about my childhood last night.", TestContext.Current.CancellationToken);
        RoutingDecision request = await router.RouteAsync("Convert 20 dollars to euros", TestContext.Current.CancellationToken);
        Assert.True(request.Confidence > talk.Confidence, $"{request.Reason} / {talk.Reason}");
        Assert.False(request.Abstained, request.Reason);
        Assert.Equal("convert_currency", request.Tools[0].Name);
    }

    private static IEnumerable<ToolProfile> Tools() => Rows("tools.jsonl").Select(ToolProfile.FromJson);

    private static IEnumerable<JsonElement> Rows(string file) => File.ReadLines(Path.Combine(s_folder, file)).Select(line => JsonElement.Parse(line));
}
