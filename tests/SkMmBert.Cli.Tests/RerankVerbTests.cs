using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class RerankVerbTests
{
    private const string Weather = """{"id":"q","query":"What is the weather in Paris?","documents":["send_email: Send an email message","get_weather: Get the current weather for a city"]}""";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Rerank_SomeLines_GivesAsMany(int count)
    {
        CommandLine run = await CommandLine.RunAsync("rerank --json -", string.Concat(Enumerable.Repeat(Weather + "\n", count)));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(count, run.Lines.Length);
    }

    [Fact]
    public async Task Rerank_ALine_IsIndexesAndScoresBestFirst()
    {
        CommandLine run = await CommandLine.RunAsync("rerank --json", Weather + "\n{\"query\":\"a\",\"documents\":[]}\n");
        JsonElement line = run.Json[0];
        Assert.Equal(["id", "results"], line.EnumerateObject().Select(field => field.Name));
        Assert.Equal("q", line.GetProperty("id").GetString());
        JsonElement[] results = [.. line.GetProperty("results").EnumerateArray()];
        Assert.Equal([1, 0], results.Select(result => result.GetProperty("index").GetInt32()));
        Assert.True(results[0].GetProperty("score").GetSingle() > results[1].GetProperty("score").GetSingle());
        Assert.All(results, result => Assert.InRange(result.GetProperty("score").GetSingle(), 0, 1));
        Assert.Equal(["results"], run.Json[1].EnumerateObject().Select(field => field.Name));
        Assert.Equal(0, run.Json[1].GetProperty("results").GetArrayLength());
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task Rerank_Top_KeepsTheBest()
    {
        CommandLine run = await CommandLine.RunAsync("rerank --json --top 1 --effort exit:3", Weather);
        Assert.Equal(1, Assert.Single(run.Json[0].GetProperty("results").EnumerateArray()).GetProperty("index").GetInt32());
    }

    [Fact]
    public async Task Rerank_AllHeads_AreOfInputOrderAndTheLastIsTheDefaultScore()
    {
        JsonElement heads = (await CommandLine.RunAsync("rerank --json --all-heads --raw", Weather)).Json[0].GetProperty("heads");
        JsonElement[] results = [.. (await CommandLine.RunAsync("rerank --json --raw", Weather)).Json[0].GetProperty("results").EnumerateArray()];
        Assert.Equal(12, heads.EnumerateObject().Count());
        float[] last = [.. heads.GetProperty("6.256").EnumerateArray().Select(score => score.GetSingle())];
        Assert.All(results, result => Assert.Equal(last[result.GetProperty("index").GetInt32()], result.GetProperty("score").GetSingle(), 1e-4f));
        float[] squashed = [.. (await CommandLine.RunAsync("rerank --json --all-heads", Weather)).Json[0].GetProperty("heads").GetProperty("6.256").EnumerateArray().Select(score => score.GetSingle())];
        Assert.Equal(1 / (1 + MathF.Exp(-last[1])), squashed[1], 1e-5f);
    }

    [Fact]
    public async Task Rerank_NoTime_KeepsTheOrderWithoutScores()
    {
        JsonElement[] results = [.. (await CommandLine.RunAsync("rerank --json --effort deadline:0", Weather)).Json[0].GetProperty("results").EnumerateArray()];
        Assert.Equal([0, 1], results.Select(result => result.GetProperty("index").GetInt32()));
        Assert.All(results, result => Assert.Equal(JsonValueKind.Null, result.GetProperty("score").ValueKind));
    }

    [Theory]
    [InlineData("no json", "line 2 is not JSON")]
    [InlineData("""{"query":"a"}""", "no list \"documents\"")]
    [InlineData("""{"query":"a","documents":[1]}""", "a document that is a number")]
    [InlineData("""{"documents":[]}""", "no \"query\"")]
    public async Task Rerank_BrokenLine_KeepsWhatStandsBefore(string broken, string says)
    {
        CommandLine run = await CommandLine.RunAsync("rerank --json", $"{Weather}\n{broken}\n{Weather}");
        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Lines);
        Assert.Contains("line 2", run.OneError);
        Assert.Contains(says, run.OneError);
    }

    [Theory]
    [InlineData("rerank --effort half", "full, exit:LAYER")]
    [InlineData("rerank --effort exit:4", "Choose one of")]
    [InlineData("rerank --exit 3 --effort full", "one of them")]
    [InlineData("rerank --dims 100", "Choose one of")]
    [InlineData("rerank --top 0", "at least 1")]
    [InlineData("rerank --max-length 1", "MaxTokens")]
    [InlineData("rerank --rerank-model no-such-model", "no-such-model")]
    [InlineData("rerank no-such-file", "no-such-file")]
    public async Task Rerank_WrongUsage_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments, Weather);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }

    [Fact]
    public async Task Rerank_ForPeople_IsATable()
    {
        CommandLine run = await CommandLine.RunAsync("rerank", Weather);
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Data);
        Assert.Contains("get_weather", run.Error);
    }
}
