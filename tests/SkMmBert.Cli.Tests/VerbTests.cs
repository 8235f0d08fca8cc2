using System.Text;
using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class VerbTests
{
    [Fact]
    public async Task Verify_MiniPair_IsEqualToItsPublishedNumbers()
    {
        CommandLine run = await CommandLine.RunAsync("verify --json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(22, run.Json.Count(line => line.GetProperty("model").GetString() == "mini-embed"));
        Assert.Equal(20, run.Json.Count(line => line.GetProperty("model").GetString() == "mini-rerank"));
        Assert.All(run.Json, line => Assert.True(line.GetProperty("ok").GetBoolean() && line.GetProperty("ids_equal").GetBoolean()));
        Assert.All(run.Json, line => Assert.InRange(line.GetProperty("max_difference").GetDouble(), 1e-12, 2e-3));
    }

    [Fact]
    public async Task Verify_OtherNumbers_FailAndSayWhich()
    {
        string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
        try
        {
            foreach (string file in Directory.GetFiles(Paths.MiniEmbed))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            string path = Path.Combine(folder, "conformance.json"), text = File.ReadAllText(path);
            int at = text.IndexOf("0.0863747", StringComparison.Ordinal);
            Assert.True(at > 0);
            File.WriteAllText(path, text.Remove(at, 9).Insert(at, "0.0873747"));
            CommandLine run = await CommandLine.RunAsync($"verify --json --model {folder}");
            Assert.Equal(1, run.ExitCode);
            JsonElement wrong = Assert.Single(run.Json, line => !line.GetProperty("ok").GetBoolean());
            Assert.Equal(1e-3, wrong.GetProperty("max_difference").GetDouble(), 1e-5);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Models_Checkout_ListsTheMiniPair()
    {
        CommandLine run = await CommandLine.RunAsync("models --json");
        Assert.Equal(["embedder", "reranker"], run.Json.Where(line => line.GetProperty("name").GetString() == "mini").Select(line => line.GetProperty("what").GetString()));
        Assert.All(run.Json.Where(line => line.GetProperty("name").GetString() == "mini"), line => Assert.True(line.GetProperty("installed").GetBoolean()));
        Assert.Contains(run.Json, line => line.GetProperty("name").GetString() == "mmbert-embed");
        Assert.Equal([1, 2, 3, 6], run.Json[1].GetProperty("exits").EnumerateArray().Select(exit => exit.GetInt32()));
    }

    [Fact]
    public async Task Models_Json_SaysForWhatAndOnWhichDevice()
    {
        CommandLine run = await CommandLine.RunAsync("models --json");
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, new() { Device = ModelDevice.Auto });
        Assert.All(run.Json, line => Assert.Equal(model.Device.ToString(), line.GetProperty("device").GetString()));
        foreach ((string name, string _, string what, string use) in ModelNames.Known)
        {
            Assert.Equal(use, Assert.Single(run.Json, line => line.GetProperty("name").GetString() == name && line.GetProperty("what").GetString() == what).GetProperty("recommended_for").GetString());
        }

        foreach (KnownModel known in KnownModel.All)
        {
            Assert.Equal(known.Use, Assert.Single(run.Json, line => line.GetProperty("name").GetString() == known.Name).GetProperty("recommended_for").GetString());
        }

        CommandLine people = await CommandLine.RunAsync("models");
        Assert.Contains("mini (embedder): ", people.Error);
        Assert.Contains($"They run on {model.Device}.", people.Error);
    }

    [Fact]
    public async Task Demo_Json_SaysThatTheSameQuestionIsAlikeInTwoLanguages()
    {
        CommandLine run = await CommandLine.RunAsync("demo --json");
        Assert.Equal(0, run.ExitCode);
        JsonElement first = run.Json.First(line => line.GetProperty("part").GetString() == "similarity");
        Assert.True(first.GetProperty("cosines")[1].GetDouble() > first.GetProperty("cosines")[4].GetDouble() + 0.3);
        Assert.Equal([(6, 256), (6, 128), (6, 64), (3, 256), (2, 256), (1, 256)],
            run.Json.Where(line => line.GetProperty("part").GetString() == "vectors").Select(line => (line.GetProperty("exit").GetInt32(), line.GetProperty("dims").GetInt32())));
    }

    [Fact]
    public async Task Demo_Json_RoutesRemembersAndSaysWhenNothingFits()
    {
        CommandLine run = await CommandLine.RunAsync("demo --json");
        JsonElement[] Part(string name) => [.. run.Json.Where(line => line.GetProperty("part").GetString() == name)];
        JsonElement[] routing = Part("routing"), memory = Part("memory");
        Assert.Equal("get_weather", routing[0].GetProperty("tools")[0].GetProperty("name").GetString());
        Assert.True(routing[^1].GetProperty("abstained").GetBoolean());
        Assert.Equal("Grace is allergic to peanuts.", memory[0].GetProperty("evidence")[0].GetProperty("text").GetString());
        Assert.Equal(0, memory[^1].GetProperty("evidence").GetArrayLength());
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("models")]
    [InlineData("verify --model mini-embed")]
    public async Task Verbs_ForPeople_PrintTablesOnTheErrorStreamOnly(string arguments)
    {
        CommandLine run = await CommandLine.RunAsync(arguments);
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Data);
        Assert.Contains("│", run.Error);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("help embed")]
    [InlineData("embed --help")]
    public async Task Help_AnyForm_NamesTheCommand(string arguments)
    {
        CommandLine run = await CommandLine.RunAsync(arguments);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("skmmbert", Encoding.UTF8.GetString(run.Data));
    }

    [Fact]
    public void ProgressLine_Interactive_ShowsPartAndTimeLeftAfterASecond()
    {
        using StringWriter error = new();
        TimeSpan now = TimeSpan.Zero;
        using (ProgressLine progress = new(new(Stream.Null, Stream.Null, error, Interactive: true) { Clock = () => now }, "texts"))
        {
            progress.Report(5, 0.05);
            Assert.Equal("", error.ToString());
            now = TimeSpan.FromSeconds(10);
            progress.Report(1_250, 0.25);
        }

        Assert.Contains("25", error.ToString());
        Assert.Contains("1,250 texts, 30 s left", error.ToString());
        Assert.EndsWith("\r", error.ToString());
    }

    [Fact]
    public void ProgressLine_NotInteractive_SaysNothing()
    {
        using StringWriter error = new();
        TimeSpan now = TimeSpan.Zero;
        using (ProgressLine progress = new(new(Stream.Null, Stream.Null, error, Interactive: false) { Clock = () => now += TimeSpan.FromMinutes(5) }, "texts"))
        {
            progress.Report(5, 0.5);
        }

        Assert.Equal("", error.ToString());
    }
}
