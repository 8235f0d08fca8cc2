using System.Text.Json;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class TokenizeVerbTests
{
    [Fact]
    public async Task Tokenize_TextsAndPairs_GiveIdsOffsetsAndCounts()
    {
        CommandLine run = await CommandLine.RunAsync("tokenize --json", "{\"text\":\"tea time\"}\n{\"id\":1,\"text\":\"tea\",\"pair\":\"time\"}");
        TextTokenizer tokenizer = TextTokenizer.Open(Path.Combine(Paths.MiniEmbed, "tokenizer.json"));
        Assert.Equal(0, run.ExitCode);
        Check(tokenizer.Encode("tea time"), run.Json[0]);
        Check(tokenizer.EncodePair("tea", "time"), run.Json[1]);
        Assert.Equal(1, run.Json[1].GetProperty("id").GetInt32());
        Assert.Equal(["ids", "offsets", "tokens"], run.Json[0].EnumerateObject().Select(field => field.Name));
    }

    [Fact]
    public async Task Tokenize_Options_AreTheTokenizers()
    {
        TextTokenizer tokenizer = TextTokenizer.Open(Path.Combine(Paths.MiniEmbed, "tokenizer.json"));
        string file = Path.Combine(Paths.MiniRerank, "tokenizer.json");
        Check(tokenizer.Encode("a long text to cut", 4), (await CommandLine.RunAsync("tokenize --json --max-length 4", "a long text to cut")).Json[0]);
        Check(tokenizer.Encode("a", addSpecialTokens: false), (await CommandLine.RunAsync("tokenize --json --no-special --tokenizer " + file, "a")).Json[0]);
    }

    [Theory]
    [InlineData("tokenize --max-length 1", "at least 3")]
    [InlineData("tokenize --tokenizer no-such-file", "no-such-file")]
    public async Task Tokenize_WrongUsage_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments, "a");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }

    [Fact]
    public async Task Tokenize_BrokenLine_KeepsWhatStandsBefore()
    {
        CommandLine run = await CommandLine.RunAsync("tokenize --json", "{\"text\":\"a\"}\nno json");
        Assert.Equal(2, run.ExitCode);
        Assert.Single(run.Lines);
        Assert.Contains("line 2", run.OneError);
    }

    private static void Check(EncodedText expected, JsonElement line)
    {
        Assert.Equal(expected.Ids, line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal(expected.Offsets, line.GetProperty("offsets").EnumerateArray().Select(offset => new TokenOffset(offset[0].GetInt32(), offset[1].GetInt32())));
        Assert.Equal(expected.Ids.Length, line.GetProperty("tokens").GetInt32());
    }
}
