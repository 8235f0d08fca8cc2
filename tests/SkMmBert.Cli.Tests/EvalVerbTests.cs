using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class EvalVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sts_ASet_IsSpearmanOfEachExitAndLength()
    {
        _folder.Write("sts/en.dev.tsv", "score\tsentence1\tsentence2\n5\tA cat sleeps.\tA cat is sleeping.\n0\tA cat sleeps.\tThe stock market fell.\n3\tA cat sleeps.\tA dog sleeps.\n");
        _folder.Write("sts/en.train.tsv", "score\tsentence1\tsentence2\n5\ta\tb\n");
        CommandLine run = await CommandLine.RunAsync($"eval sts --data {_folder.Root} --exits 3,6 --dims all --json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(6, run.Lines.Length);
        Assert.All(run.Json, row => Assert.Equal(("sts/en.dev", 3, 1.0), (row.GetProperty("set").GetString(), row.GetProperty("count").GetInt32(), row.GetProperty("spearman").GetDouble())));
        Assert.Equal([(3, 256), (3, 128), (3, 64), (6, 256), (6, 128), (6, 64)], run.Json.Select(row => (row.GetProperty("exit").GetInt32(), row.GetProperty("dims").GetInt32())).OrderBy(pair => pair.Item1).ThenByDescending(pair => pair.Item2));
    }

    [Fact]
    public async Task Bitext_ASet_IsAccuracyBothWays()
    {
        _folder.Write("deu-eng.tsv", "Guten Morgen\tGood morning\nDie Katze schläft\tThe cat sleeps\n");
        JsonElement row = Assert.Single((await CommandLine.RunAsync($"eval bitext --data {_folder.Root} --json")).Json);
        Assert.Equal((1.0, 1.0, 2), (row.GetProperty("forth").GetDouble(), row.GetProperty("back").GetDouble(), row.GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task Retrieval_ASet_IsEveryWayToSearch()
    {
        _folder.Write("small/docs.jsonl", "{\"id\":\"1\",\"text\":\"Bern is the capital of Switzerland.\"}\n{\"id\":\"2\",\"text\":\"Cats sleep a lot.\"}");
        _folder.Write("small/queries.jsonl", "{\"id\":\"q\",\"query\":\"capital of Switzerland\",\"relevant\":[\"1\"]}");
        CommandLine run = await CommandLine.RunAsync($"eval retrieval --data {_folder.Root} --json --precision int8");
        Assert.Equal(["lexical", "64", "128", "256", "funnel", "fused"], run.Json.Select(row => row.GetProperty("way").GetString()));
        Assert.All(run.Json, row => Assert.Equal((1.0, 1.0, 1.0, "int8"), (row.GetProperty("ndcg@10").GetDouble(), row.GetProperty("recall@10").GetDouble(), row.GetProperty("mrr@10").GetDouble(), row.GetProperty("precision").GetString())));
    }

    [Fact]
    public async Task Memory_AConversation_IsFoundAndNothing()
    {
        _folder.Write("talk/turns.jsonl", "{\"id\":1,\"session\":\"a\",\"text\":\"I live in Seattle with two cats.\"}\n{\"id\":2,\"session\":\"b\",\"text\":\"The printer is out of paper.\"}");
        _folder.Write("talk/questions.jsonl", "{\"question\":\"Where do I live with two cats?\",\"evidence\":[1]}");
        CommandLine run = await CommandLine.RunAsync($"eval memory --data {_folder.Root} --json");
        Assert.Equal("nothing", run.Json[^1].GetProperty("way").GetString());
        Assert.Equal(1, run.Json[^1].GetProperty("found@5").GetDouble());
    }

    [Fact]
    public async Task Funnel_ASet_KeepsEverythingAtFullWidth()
    {
        string[] things = [.. Enumerable.Range(0, 60).Select(i => $"{{\"id\":\"{i}\",\"text\":\"Note {i} speaks of {(i % 2 == 0 ? "cats" : "the printer")} and room {i * 7}.\"}}")];
        _folder.Write("small/docs.jsonl", string.Join('\n', things));
        _folder.Write("small/queries.jsonl", "{\"id\":\"q\",\"query\":\"cats in room 28\",\"relevant\":[\"4\"]}\n{\"id\":\"r\",\"query\":\"the printer\",\"relevant\":[\"5\"]}");
        CommandLine run = await CommandLine.RunAsync($"eval funnel --data {_folder.Root} --json");
        JsonElement[] stages = [.. run.Json.Where(row => row.TryGetProperty("width", out _))];
        foreach (IGrouping<string?, JsonElement> stage in stages.GroupBy(row => row.GetProperty("way").GetString()))
        {
            double[] kept = [.. stage.Select(row => row.GetProperty("exact_kept").GetDouble())];
            Assert.Equal([10, 20, 50, 60], stage.Select(row => row.GetProperty("width").GetInt32()));
            Assert.Equal(kept.Order(), kept);   // a wider list never keeps less
            Assert.Equal(1, kept[^1]);
        }

        Assert.Equal(["signs", "route", "retrieve", "funnel"], run.Json.Select(row => row.GetProperty("way").GetString()).Distinct());
        Assert.Equal((60, 1.0), (run.Json[^1].GetProperty("items").GetInt32(), run.Json[^1].GetProperty("exact_kept").GetDouble()));
        Assert.Contains("1 set in", (await CommandLine.RunAsync($"eval funnel --data {_folder.Root}")).Error);
    }

    [Fact]
    public async Task Routing_ASet_IsEveryStrategy()
    {
        _folder.Write("tools/tools.jsonl", string.Join('\n', "weather,music,email,flight,alarm,recipe,parcel,money".Split(',').Select(name => $"{{\"name\":\"{name}\",\"description\":\"About {name}\"}}")));
        _folder.Write("tools/queries.jsonl", "{\"query\":\"play some music\",\"tools\":[\"music\"]}");
        CommandLine run = await CommandLine.RunAsync($"eval routing --data {_folder.Root} --json");
        Assert.Equal(0, run.ExitCode);
        foreach (string way in (string[])["bm25", "dense 64", "dense full", "router", "removed MEAI strategy", "adaptive list"])
        {
            Assert.Contains(run.Json, row => row.GetProperty("way").GetString() == way);
        }

        Assert.Equal(1, run.Json.Single(row => row.GetProperty("way").GetString() == "router").GetProperty("ndcg@10").GetDouble());
        JsonElement lists = run.Json.Single(row => row.GetProperty("way").GetString() == "adaptive list");
        Assert.Equal((1.0, 1.0), (lists.GetProperty("any").GetDouble(), lists.GetProperty("any_bm25").GetDouble()));   // the word itself is in the question
        Assert.InRange(lists.GetProperty("any_removed").GetDouble(), 0, 1);
    }

    [Fact]
    public async Task CalibrateReranker_ASet_WritesWhatRerankReads()
    {
        _folder.Write("small/docs.jsonl", string.Join('\n', Enumerable.Range(1, 8).Select(i => $"{{\"id\":\"{i}\",\"text\":\"Text number {i} speaks of thing {i}.\"}}")));
        _folder.Write("small/queries.jsonl", "{\"id\":\"q\",\"query\":\"thing 3\",\"relevant\":[\"3\"]}\n{\"id\":\"r\",\"query\":\"thing 5\",\"relevant\":[\"5\"]}");
        string file = Path.Combine(_folder.Root, "calibration.json");
        CommandLine run = await CommandLine.RunAsync($"eval calibrate-reranker --data {_folder.Root} --out {file} --json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, run.Json[^1].GetProperty("queries").GetInt32());
        CommandLine used = await CommandLine.RunAsync($"rerank --json --effort progressive --calibration {file}", """{"query":"thing 3","documents":["thing 3","nothing"]}""");
        Assert.Equal(2, used.Json[0].GetProperty("results").GetArrayLength());
    }

    [Theory]
    [InlineData("eval", "help eval")]
    [InlineData("eval sts", "--data")]
    [InlineData("eval sts --data no-such-folder", "no-such-folder")]
    [InlineData("eval sts --data EMPTY", "sentence1")]
    [InlineData("eval bitext --data EMPTY", "two columns")]
    [InlineData("eval routing --data EMPTY", "tools.jsonl")]
    [InlineData("eval retrieval --data EMPTY", "docs.jsonl")]
    [InlineData("eval calibrate-reranker --data EMPTY", "docs.jsonl")]
    [InlineData("eval sts --data EMPTY --dims 999", "at most 256")]
    [InlineData("eval sts --data EMPTY --exits x", "or all")]
    public async Task Eval_WrongUsage_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments.Replace("EMPTY", _folder.Root));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }
}
