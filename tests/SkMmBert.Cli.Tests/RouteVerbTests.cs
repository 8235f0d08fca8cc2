using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class RouteVerbTests : IDisposable
{
    private static readonly string[] s_tools =
    [
        """{"name":"get_weather","description":"Current weather and forecast of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}},"examples":["will it rain tomorrow"]}""",
        """{"name":"send_email","description":"Send an email message to somebody"}""",
        """{"name":"play_music","description":"Play a song, an album or a playlist"}""",
        """{"name":"book_flight","description":"Book a flight between two airports"}""",
        """{"name":"convert_currency","description":"Convert money from one currency to another"}""",
        """{"name":"set_alarm","description":"Set an alarm for a time of the day"}""",
        """{"name":"translate_text","description":"Translate a text into another language"}""",
        """{"name":"find_recipe","description":"Find a cooking recipe by ingredients"}""",
        """{"name":"track_parcel","description":"Tell where a parcel is by its number"}""",
    ];

    private readonly TemporaryFolder _folder = new();

    private string Tools => _folder.Write("tools.jsonl", string.Join('\n', s_tools));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", 0)]
    [InlineData("will it rain in Bern", 1)]
    [InlineData("{\"query\":\"will it rain in Bern\"}\n{\"query\":\"wake me at six\"}", 2)]
    public async Task Route_SomeQueries_GivesAsMany(string input, int count)
    {
        CommandLine run = await CommandLine.RunAsync($"route --tools {Tools} --json -", input);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(count, run.Lines.Length);
    }

    [Fact]
    public async Task Route_ALine_IsToolsAbstainedAndTime()
    {
        CommandLine run = await CommandLine.RunAsync($"route --tools {Tools} --json", """{"id":7,"query":"What will the weather be in Bern?"}""");
        JsonElement line = Assert.Single(run.Json);
        Assert.Equal(["id", "tools", "abstained", "milliseconds"], line.EnumerateObject().Select(field => field.Name));
        Assert.Equal(7, line.GetProperty("id").GetInt32());
        JsonElement best = line.GetProperty("tools")[0];
        Assert.Equal(["name", "score"], best.EnumerateObject().Select(field => field.Name));
        Assert.Equal("get_weather", best.GetProperty("name").GetString());
        Assert.False(line.GetProperty("abstained").GetBoolean());
        Assert.True(line.GetProperty("milliseconds").GetDouble() > 0);
    }

    [Fact]
    public async Task Route_NothingFits_AbstainsUnlessTopForcesAList()
    {
        const string query = "how old is the universe";
        JsonElement free = (await CommandLine.RunAsync($"route --tools {Tools} --json", query)).Json[0], forced = (await CommandLine.RunAsync($"route --tools {Tools} --json --top 4", query)).Json[0];
        Assert.True(free.GetProperty("abstained").GetBoolean());
        Assert.Equal(0, free.GetProperty("tools").GetArrayLength());
        Assert.False(forced.GetProperty("abstained").GetBoolean());
        Assert.Equal(4, forced.GetProperty("tools").GetArrayLength());
    }

    [Fact]
    public async Task Route_RerankAndCalibration_AreTaken()
    {
        string calibration = _folder.Write("calibration.json", (ToolCalibration.Default with { Threshold = 1f }).ToJson());
        CommandLine run = await CommandLine.RunAsync($"route --tools {Tools} --json --rerank --calibration {calibration}", "will it rain tomorrow");
        Assert.Equal(0, run.ExitCode);
        Assert.True(run.Json[0].GetProperty("abstained").GetBoolean()); // nothing reaches a confidence of 1
    }

    [Fact]
    public async Task Route_CalibrationOfAnotherModel_NamesIt()
    {
        LearnedTools learned = new("another-model", ["get_weather"], [1], [0]) { Weights = new float[9] };
        string calibration = _folder.Write("learned.json", (ToolCalibration.Default with { Learned = learned }).ToJson());
        CommandLine run = await CommandLine.RunAsync($"route --tools {Tools} --json --calibration {calibration}", "will it rain tomorrow");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("another-model", run.OneError);
    }

    [Fact]
    public async Task Route_BrokenLine_KeepsWhatStandsBefore()
    {
        CommandLine run = await CommandLine.RunAsync($"route --tools {Tools} --json", "{\"query\":\"rain\"}\n{\"quer");
        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Lines);
        Assert.Contains("line 2", run.OneError);
    }

    [Theory]
    [InlineData("no json", "line 2", "not JSON")]
    [InlineData("""{"description":"nameless"}""", "line 2", "name")]
    public async Task Route_BrokenTools_NamesTheLine(string broken, string line, string says)
    {
        CommandLine run = await CommandLine.RunAsync($"route --tools {_folder.Write("broken.jsonl", s_tools[0] + "\n" + broken)} --json", "rain");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(line, run.OneError);
        Assert.Contains(says, run.OneError);
        Assert.Contains("broken.jsonl", run.OneError);
    }

    [Theory]
    [InlineData("route", "--tools")]
    [InlineData("route --tools no-such-file", "no-such-file")]
    [InlineData("route --tools TOOLS --top 0", "at least 1")]
    [InlineData("route --tools TOOLS --calibration TOOLS", "ToolCalibration.ToJson")]
    public async Task Route_WrongUsage_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments.Replace("TOOLS", Tools), "rain");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }
}
