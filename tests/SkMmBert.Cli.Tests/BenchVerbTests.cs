using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class BenchVerbTests : IDisposable
{
    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-modernbert", "model"), TinyBert = Path.Combine(Paths.Goldens, "tiny-bert-2d", "model");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_Quick_HasEveryCaseWithItsFields()
    {
        string saved = Path.Combine(_folder.Root, "speed.jsonl"), svg = Path.Combine(_folder.Root, "speed.svg");
        CommandLine run = await CommandLine.RunAsync($"bench --model {Tiny} --quick --json --out {saved} --svg {svg}");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(run.Lines, File.ReadAllLines(saved));
        JsonElement[] single = [.. run.Json.Where(row => row.GetProperty("case").GetString() == "one text")];
        Assert.NotEmpty(single);
        Assert.Equal(single.Length / 2, single.Count(row => row.GetProperty("precision").GetString() == "int8"));
        Assert.All(single, row =>
        {
            double milliseconds = row.GetProperty("milliseconds").GetDouble(), naive = row.GetProperty("naive_milliseconds").GetDouble();
            Assert.Equal(naive / milliseconds, row.GetProperty("ratio_to_naive").GetDouble(), naive / milliseconds * 0.02);
            Assert.Equal(1000 / milliseconds, row.GetProperty("texts_per_second").GetDouble(), 1000 / milliseconds * 0.02);
            Assert.InRange(row.GetProperty("peak_mb").GetDouble(), 10, 10_000);
            Assert.True(row.GetProperty("rounds").GetInt32() >= 1);
        });
        Assert.Equal(["fp32", "int8"], run.Json.Where(row => row.GetProperty("case").GetString() == "short texts").Select(row => row.GetProperty("precision").GetString()));
        Assert.Contains(run.Json, row => row.GetProperty("case").GetString() == "streams");
        Assert.Contains("Times as fast as the plain export", XDocument.Load(svg).Root!.Value);
    }

    [Fact]
    public async Task Bench_ChosenCases_AreThose()
    {
        CommandLine run = await CommandLine.RunAsync($"bench --model {TinyBert} --quick --lengths 8,24 --exits 1 --precision int8 --texts 5 --json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal([(8.0, 1, 1, "one text"), (24.0, 1, 1, "one text")], run.Json.Take(2).Select(row => (row.GetProperty("tokens").GetDouble(), row.GetProperty("exit").GetInt32(), row.GetProperty("texts").GetInt32(), row.GetProperty("case").GetString()!)));
        Assert.Equal(5, run.Json[2].GetProperty("texts").GetInt32());
        Assert.All(run.Json, row => Assert.Equal("int8", row.GetProperty("precision").GetString()));
    }

    [Fact]
    public async Task Bench_ForPeople_IsATableOnTheErrorStream()
    {
        CommandLine run = await CommandLine.RunAsync($"bench --model {Tiny} --quick --lengths 8 --texts 3 --precision fp32");
        Assert.Empty(run.Data);
        Assert.Contains("one text at a time", run.Error);
        Assert.Contains("ratio", run.Error);
    }

    [Fact]
    public async Task Bench_Cancelled_LeavesNoFile()
    {
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(200));
        string saved = Path.Combine(_folder.Root, "speed.jsonl");
        CommandLine run = await CommandLine.RunAsync($"bench --model mini --out {saved}", cancellationToken: stop.Token);
        Assert.Equal(1, run.ExitCode);
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Theory]
    [InlineData("--precision int4", "fp32,int8")]
    [InlineData("--lengths x", "numbers with commas")]
    [InlineData("--lengths 999999", "the context of")]
    [InlineData("--exits 99", "the layers of")]
    [InlineData("--texts 0", "at least 1")]
    [InlineData("--model nowhere", "known name")]
    public async Task Bench_WrongUsage_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync($"bench --quick {arguments}");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }
}
