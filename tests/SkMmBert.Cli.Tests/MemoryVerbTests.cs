using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class MemoryVerbTests : IDisposable
{
    private const string Ada = """{"id":"a1","text":"Ada prefers trains to planes.","source":"chat/17","scope":"user=ada","metadata":{"mood":"calm"},"time":"2026-01-02T03:04:05Z"}""";
    private const string Bern = """{"id":"b1","text":"Bern is the capital of Switzerland."}""";

    private const string Old = """{"id":"old","text":"Ada prefers trains to planes.","metadata":{"mood":"calm","place":"Bern=west"},"time":"2015-01-02T03:04:05Z"}""";
    private const string New = """{"id":"new","text":"Ada went to Norway by ship.","time":"2024-03-01T00:00:00Z"}""";

    private readonly TemporaryFolder _folder = new();

    private string Store => Path.Combine(_folder.Root, "memory.db");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData(Bern, 1, 0)]
    [InlineData(Bern + "\n" + Ada + "\n{\"text\":\"Bern is the capital of Switzerland.\"}", 2, 1)]
    public async Task Add_SomeLines_CountsThem(string input, int added, int duplicates)
    {
        CommandLine run = await CommandLine.RunAsync($"memory add --store {Store} --json -", input);
        Assert.Equal(0, run.ExitCode);
        JsonElement line = Assert.Single(run.Json);
        Assert.Equal(["added", "duplicates", "chunks"], line.EnumerateObject().Select(field => field.Name));
        Assert.Equal((added, duplicates, added), (line.GetProperty("added").GetInt32(), line.GetProperty("duplicates").GetInt32(), line.GetProperty("chunks").GetInt32()));
    }

    [Fact]
    public async Task Recall_AQuestion_IsEvidenceWithItsTrailInsideItsScope()
    {
        await AddAsync(Ada, Bern);
        CommandLine run = await CommandLine.RunAsync($"memory recall --store {Store} --json", """
            {"id":1,"query":"Which means of transport, trains or planes, does Ada prefer?","scope":{"user":"ada"}}
            {"id":2,"query":"Which means of transport, trains or planes, does Ada prefer?","scope":"user=eve"}
            """);
        JsonElement evidence = run.Json[0].GetProperty("evidence")[0];
        Assert.Equal(["id", "evidence"], run.Json[0].EnumerateObject().Select(field => field.Name));
        Assert.Equal(["id", "source", "text", "start", "end", "score", "trail"], evidence.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("a1", "chat/17", 0, 29), (evidence.GetProperty("id").GetString(), evidence.GetProperty("source").GetString(), evidence.GetProperty("start").GetInt32(), evidence.GetProperty("end").GetInt32()));
        Assert.All(evidence.GetProperty("trail").EnumerateArray(), stage => Assert.Equal(["stage", "score", "rank"], stage.EnumerateObject().Select(field => field.Name)));
        Assert.DoesNotContain(run.Json[1].GetProperty("evidence").EnumerateArray(), other => other.GetProperty("id").GetString() == "a1");
    }

    [Fact]
    public async Task Recall_TopFloorAndRerank_AreTaken()
    {
        await AddAsync(Ada.Replace(",\"scope\":\"user=ada\"", ""), Bern);
        CommandLine all = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 0 --rerank", "capital of Switzerland");
        Assert.Contains(all.Json[0].GetProperty("evidence")[0].GetProperty("trail").EnumerateArray(), stage => stage.GetProperty("stage").GetString() == "rerank");
        CommandLine one = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 0 --top 1 --no-rerank", "capital of Switzerland");
        Assert.Equal("b1", Assert.Single(one.Json[0].GetProperty("evidence").EnumerateArray()).GetProperty("id").GetString());
        CommandLine none = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 1000", "capital of Switzerland");
        Assert.Equal(0, none.Json[0].GetProperty("evidence").GetArrayLength());
    }

    [Theory]
    [InlineData("", "new old")]
    [InlineData("--metadata mood=calm", "old")]
    [InlineData("--metadata mood=calm --metadata place=Bern=west", "old")]
    [InlineData("--metadata mood=calm --metadata place=Bern", "")]
    [InlineData("--since 2015-01-02T03:04:05Z", "new old")]
    [InlineData("--since 2015-01-02T03:04:06Z", "new")]
    [InlineData("--until 2024-03-01", "old")]
    [InlineData("--until 2024-03-01T01:00:00Z", "new old")]
    [InlineData("--since 2020-02-01 --until 2020-02-02", "")]
    public async Task Recall_MetadataAndTimes_LeaveOnlyTheItemsMeant(string conditions, string ids)
    {
        await AddAsync(Old, New);
        CommandLine run = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 0 {conditions}", "How does Ada travel?");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(ids, string.Join(' ', run.Json[0].GetProperty("evidence").EnumerateArray().Select(evidence => evidence.GetProperty("id").GetString()).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Recall_HalfLife_CountsTheAgeInDays()
    {
        await AddAsync(Old, New);
        string[] Order(CommandLine run) => [.. run.Json[0].GetProperty("evidence").EnumerateArray().Select(evidence => evidence.GetProperty("id").GetString()!)];
        const string Question = "Ada prefers trains to planes.";
        Assert.Equal(["old", "new"], Order(await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 0", Question)));
        CommandLine aged = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor 0 --half-life 365.5", Question);
        Assert.Equal(["new", "old"], Order(aged));
        Assert.All(aged.Json[0].GetProperty("evidence").EnumerateArray(), evidence => Assert.Contains(evidence.GetProperty("trail").EnumerateArray(), stage => stage.GetProperty("stage").GetString() == "recency"));
    }

    [Theory]
    [InlineData("add")]
    [InlineData("import")]
    public async Task AddAndImport_APersonWatches_ShowABarThatGoesAway(string verb)
    {
        string file = _folder.Write("items.jsonl", $"{Old}\n{New}\n");
        CommandLine run = await CommandLine.RunAsync($"memory {verb} {file} --store {Store}", interactive: true);
        Assert.Equal(0, run.ExitCode);
        string bar = Assert.Single(run.Error.Split('\r'), line => line.Contains("] 100", StringComparison.Ordinal) && line.Contains("2 texts, 0 s left", StringComparison.Ordinal));
        Assert.StartsWith($"[{new string('#', 24)}]", bar);
        Assert.Contains("\r" + new string(' ', 78) + "\r", run.Error);
        Assert.Empty(run.Data);
        CommandLine log = await CommandLine.RunAsync($"memory {verb} {file} --store {Store}");
        Assert.DoesNotContain('\r', log.Error);
    }

    [Fact]
    public async Task Calibrate_QuestionsOrNone_GivesAFloorThatRecallTakes()
    {
        await AddAsync(Ada.Replace(",\"scope\":\"user=ada\"", ""), Bern);
        CommandLine asked = await CommandLine.RunAsync($"memory calibrate --store {Store} --json -", """
            {"query":"What is the capital of Switzerland?","answers":["b1"]}
            {"query":"Does Ada prefer trains?","answers":["chat/17"]}
            {"query":"zzz qqq","answers":[]}
            """);
        Assert.Equal(["floor", "found", "false_evidence"], Assert.Single(asked.Json).EnumerateObject().Select(field => field.Name));
        Assert.Equal((1, 0), (asked.Json[0].GetProperty("found").GetDouble(), asked.Json[0].GetProperty("false_evidence").GetDouble()));
        float floor = asked.Json[0].GetProperty("floor").GetSingle();
        CommandLine recalled = await CommandLine.RunAsync($"memory recall --store {Store} --json --floor {floor.ToString(System.Globalization.CultureInfo.InvariantCulture)}", "What is the capital of Switzerland?\nzzz qqq");
        Assert.Equal([1, 0], recalled.Json.Select(line => Math.Min(1, line.GetProperty("evidence").GetArrayLength())));
        CommandLine own = await CommandLine.RunAsync($"memory calibrate --store {Store} --json");
        Assert.True(own.Json[0].GetProperty("floor").GetSingle() > 0);
    }

    [Fact]
    public async Task ExportAndImport_KeepEverything()
    {
        await AddAsync(Ada, Bern);
        CommandLine exported = await CommandLine.RunAsync($"memory export --store {Store}");
        string other = Path.Combine(_folder.Root, "other.db");
        CommandLine imported = await CommandLine.RunAsync($"memory import --store {other} --json", string.Join('\n', exported.Lines));
        Assert.Equal(2, imported.Json[0].GetProperty("added").GetInt32());
        Assert.Equal(exported.Lines, (await CommandLine.RunAsync($"memory list --store {other} --json")).Lines);
        Assert.Equal("calm", exported.Json.Single(item => item.GetProperty("id").GetString() == "a1").GetProperty("metadata").GetProperty("mood").GetString());
    }

    [Fact]
    public async Task Forget_NeedsAConditionAndSaysHowMany()
    {
        await AddAsync(Ada, Bern);
        CommandLine nothing = await CommandLine.RunAsync($"memory forget --store {Store}");
        Assert.Equal(2, nothing.ExitCode);
        Assert.Contains("--all", nothing.OneError);
        Assert.Equal(1, (await CommandLine.RunAsync($"memory forget --store {Store} --scope user=ada --json")).Json[0].GetProperty("forgotten").GetInt32());
        Assert.Equal(1, (await CommandLine.RunAsync($"memory forget --store {Store} --all --json")).Json[0].GetProperty("forgotten").GetInt32());
        Assert.Empty((await CommandLine.RunAsync($"memory list --store {Store} --json")).Lines);
    }

    [Fact]
    public async Task Check_AStore_ReportsTheFunnel()
    {
        await AddAsync(Ada, Bern);
        CommandLine run = await CommandLine.RunAsync($"memory check --store {Store} --json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal((2, 1.0, 0), (run.Json[0].GetProperty("items").GetInt32(), run.Json[0].GetProperty("recall").GetDouble(), run.Json[0].GetProperty("problems").GetArrayLength()));
    }

    [Fact]
    public async Task Reembed_AnotherModel_OpensTheStoreAgain()
    {
        await AddAsync(Bern);
        CommandLine refused = await CommandLine.RunAsync($"memory recall --store {Store} --dims 64 --json", "capital");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("skmmbert memory reembed", refused.OneError);
        Assert.Equal(1, (await CommandLine.RunAsync($"memory reembed --store {Store} --dims 64 --json")).Json[0].GetProperty("reembedded").GetInt32());
        Assert.Equal(0, (await CommandLine.RunAsync($"memory recall --store {Store} --dims 64 --json", "capital of Switzerland")).ExitCode);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("""{"id":1}""")]
    [InlineData("""{"text":" "}""")]
    [InlineData("""{"text":"a","scope":7}""")]
    [InlineData("""{"text":"a","time":"noon"}""")]
    public async Task Add_BrokenLine_KeepsWhatStandsBefore(string broken)
    {
        CommandLine run = await CommandLine.RunAsync($"memory add --store {Store} --json", $"{Bern}\n{broken}\n{Ada}");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(1, run.Json[0].GetProperty("added").GetInt32());
        Assert.Contains("line 2", run.OneError);
        Assert.Single((await CommandLine.RunAsync($"memory list --store {Store} --json")).Lines);
    }

    [Theory]
    [InlineData("memory", "help memory")]
    [InlineData("memory recall", "--store")]
    [InlineData("memory recall --store no-such-file", "no-such-file")]
    [InlineData("memory add --store /no-such-folder/memory.db", "no-such-folder")]
    [InlineData("memory list --store ftp://there", "postgres://")]
    [InlineData("memory list --store STORE --before noon", "--before")]
    [InlineData("memory recall --store STORE --top 0", "at least 1")]
    [InlineData("memory recall --store STORE --metadata mood", "'mood'. Expected: a pair KEY=VALUE")]
    [InlineData("memory recall --store STORE --metadata =calm", "'=calm'")]
    [InlineData("memory recall --store STORE --metadata a=1 --metadata a=2", "twice for 'a'")]
    [InlineData("memory recall --store STORE --since noon", "--since is 'noon'")]
    [InlineData("memory recall --store STORE --until noon", "--until is 'noon'")]
    [InlineData("memory recall --store STORE --since 2026-02-01 --until 2026-02-01", "--since before --until")]
    [InlineData("memory recall --store STORE --half-life month", "'month'. Expected: a number of days")]
    [InlineData("memory recall --store STORE --half-life 0", "above 0")]
    [InlineData("memory recall --store STORE --half-life -1", "above 0")]
    [InlineData("memory recall --store STORE --half-life NaN", "above 0")]
    [InlineData("memory recall --store STORE --half-life 1e300", "above 0")]
    [InlineData("memory calibrate --store STORE no-such-file", "no-such-file")]
    [InlineData("memory recall --store STORE --rerank --no-rerank", "one of them")]
    public async Task Memory_WrongUsage_IsExitCode2(string arguments, string says)
    {
        await AddAsync(Bern);
        CommandLine run = await CommandLine.RunAsync(arguments.Replace("STORE", Store), "a");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }

    private async Task AddAsync(params string[] lines) => Assert.Equal(0, (await CommandLine.RunAsync($"memory add --store {Store}", string.Join('\n', lines))).ExitCode);
}
