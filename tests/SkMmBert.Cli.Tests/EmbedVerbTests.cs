using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class EmbedVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File_(string name) => Path.Combine(_folder, name);

    [Fact]
    public async Task Embed_NothingOneMany_GivesAsManyLinesInOrder()
    {
        Assert.Empty((await CommandLine.RunAsync("embed --json")).Data);
        Assert.Single((await CommandLine.RunAsync("embed --json", "tea")).Lines);
        string[] texts = [.. Enumerable.Range(0, 2_500).Select(i => string.Join(' ', Enumerable.Repeat("word" + i, 1 + (i % 9))))];
        CommandLine many = await CommandLine.RunAsync("embed --json --dims 64 --exit 1", string.Join('\n', texts));
        Assert.Equal(0, many.ExitCode);
        Assert.Equal("", many.Error);
        Assert.Equal(texts.Length, many.Lines.Length);
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        MmBertEmbeddingGenerator generator = new(model);
        foreach (int i in new[] { 0, 1, 777, 1_023, 1_024, 2_499 })
        {
            ReadOnlyMemory<float> expected = await generator.GenerateVectorAsync(texts[i], new EmbeddingGenerationOptions { Dimensions = 64 }.WithExit(1));
            JsonElement line = JsonDocument.Parse(many.Lines[i]).RootElement;
            Assert.All(expected.ToArray().Zip(line.GetProperty("vector").EnumerateArray()), pair => Assert.Equal(pair.First, pair.Second.GetSingle(), 1e-5f));
            Assert.Equal(["vector", "tokens", "truncated"], line.EnumerateObject().Select(field => field.Name));
        }
    }

    [Fact]
    public async Task Embed_Jsonl_KeepsIdsAsTheyWereWritten()
    {
        CommandLine run = await CommandLine.RunAsync("embed --json", """
            {"id":"a\u00e9","text":"one"}

            {"text":"two","id":12.50}
            {"text":""}
            """);
        Assert.Equal(["\"a\\u00e9\"", "12.50"], run.Json.Take(2).Select(line => line.GetProperty("id").GetRawText()));
        Assert.False(run.Json[2].TryGetProperty("id", out _));
        Assert.Equal(2, run.Json[2].GetProperty("tokens").GetInt32());
    }

    [Fact]
    public async Task Embed_PlainLines_AreTextsEmptyOnesIncluded()
    {
        CommandLine run = await CommandLine.RunAsync("embed --json", "\n{curly} text\r\n\nlast\n");
        Assert.Equal(4, run.Lines.Length);
        Assert.Equal(2, run.Json[0].GetProperty("tokens").GetInt32());
        Assert.Equal(2, run.Json[2].GetProperty("tokens").GetInt32());
        Assert.Equal(run.Lines[3], Assert.Single((await CommandLine.RunAsync("embed --json", "last")).Lines));
    }

    [Theory]
    [InlineData("{\"text\":\"b\"", "line 3 is not JSON")]
    [InlineData("[1]", "line 3 is a list")]
    [InlineData("{\"txt\":\"b\"}", "line 3 has no \"text\"")]
    [InlineData("{\"text\":5}", "line 3 has a \"text\" that is a number")]
    public async Task Embed_BrokenLine_IsNamedAndNothingBeforeItIsLost(string broken, string message)
    {
        string input = $"{{\"text\":\"a\"}}\n{{\"text\":\"b\"}}\n{broken}\n{{\"text\":\"d\"}}\n";
        CommandLine run = await CommandLine.RunAsync("embed --json", input);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(2, run.Lines.Length);
        Assert.Contains(message, run.OneError);

        CommandLine written = await CommandLine.RunAsync($"embed --out {File_("v.jsonl")}", input);
        Assert.Equal(2, written.ExitCode);
        Assert.Equal(run.Lines, await File.ReadAllLinesAsync(File_("v.jsonl")));
    }

    [Fact]
    public async Task Embed_LoneSurrogate_IsReadAsTheTokenizerReadsIt()
    {
        CommandLine run = await CommandLine.RunAsync("embed --json", "{\"text\":\"a \\ud800 \\\"b\\n\"}\n{\"text\":\"a \\ufffd \\\"b\\n\"}");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(run.Lines[1], run.Lines[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Embed_Npy_IsAnArrayOfAllVectors(bool toFile)
    {
        CommandLine run = await CommandLine.RunAsync("embed --format npy --dims 64" + (toFile ? " --out " + File_("v.npy") : ""), "one\ntwo\nthree");
        Assert.Equal(0, run.ExitCode);
        byte[] bytes = toFile ? await File.ReadAllBytesAsync(File_("v.npy")) : run.Data;
        Assert.Equal([0x93, .. "NUMPY\u0001\0"u8], bytes[..8]);
        int header = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        Assert.Equal(0, (header + 10) % 64);
        Assert.Contains("'shape': (3, 64)", Encoding.ASCII.GetString(bytes, 10, header));
        Assert.Equal((byte)'\n', bytes[header + 9]);
        float[] values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(header + 10)).ToArray();
        Assert.Equal(3 * 64, values.Length);
        Assert.Equal((await CommandLine.RunAsync("embed --json --dims 64", "one\ntwo\nthree")).Json[2].GetProperty("vector")[63].GetSingle(), values[^1], 1e-6f);
    }

    [Fact]
    public async Task Embed_NpyOfNothing_HasNoRows()
    {
        CommandLine run = await CommandLine.RunAsync("embed --format npy");
        Assert.Contains("'shape': (0, 256)", Encoding.ASCII.GetString(run.Data));
        Assert.Equal(128, run.Data.Length);
    }

    [Fact]
    public async Task Embed_LongText_IsCutAndSaysSo()
    {
        CommandLine run = await CommandLine.RunAsync("embed --json --max-length 8", "short\n" + string.Join(' ', Enumerable.Repeat("long", 50)));
        Assert.Equal([false, true], run.Json.Select(line => line.GetProperty("truncated").GetBoolean()));
        Assert.Equal(8, run.Json[1].GetProperty("tokens").GetInt32());
    }

    [Fact]
    public async Task Embed_ForPeople_PrintsATableAndNoData()
    {
        CommandLine run = await CommandLine.RunAsync("embed", "tea\n" + new string('x', 500));
        Assert.Empty(run.Data);
        Assert.Contains("tea", run.Error);
        Assert.Contains("256", run.Error);
        Assert.Contains("--json", run.Error);
    }

    [Theory]
    [InlineData("embed --dims 65", "one of 256, 128, 64")]
    [InlineData("embed --dims 0", "at least 1")]
    [InlineData("embed --dims many", "whole number")]
    [InlineData("embed --exit 4", "one of 1, 2, 3, 6")]
    [InlineData("embed --json --format npy", "one of them")]
    [InlineData("embed --format csv", "npy")]
    [InlineData("embed --model no-such-model", "no-such-model")]
    [InlineData("embed no-such-file", "no-such-file")]
    [InlineData("embed --nonsense", "--nonsense")]
    [InlineData("embed --out no-such-folder/x", "no-such-folder")]
    [InlineData("embed --max-length 1", "MaxTokens is 1")]
    [InlineData("embd", "There is no verb 'embd'")]
    [InlineData("help embd", "There is no verb 'embd'")]
    public async Task Embed_WrongUsage_IsOneLineAndExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments, "text");
        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Data);
        Assert.Contains(says, run.OneError);
    }

    [Fact]
    public async Task Embed_BrokenModelFolder_IsOneLineAndExitCode1()
    {
        File.WriteAllText(File_("config.json"), "{");
        CommandLine run = await CommandLine.RunAsync($"embed --model {_folder}", "text");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("config.json", run.OneError);
    }

    [Fact]
    public async Task Embed_Cancelled_LeavesNoFile()
    {
        using CancellationTokenSource stop = new();
        File.WriteAllText(File_("v.jsonl"), "before");
        CommandLine run = await CommandLine.RunAsync(["embed", "--out", File_("v.jsonl")], new EndlessLines(stop, after: 1 << 20), false, stop.Token);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Cancelled", run.OneError);
        Assert.Equal("before", File.ReadAllText(File_("v.jsonl")));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Embed_RawExitNorm_ChangesEarlyExitsOnly()
    {
        string last = (await CommandLine.RunAsync("embed --json --exit 6", "tea")).Lines[0], early = (await CommandLine.RunAsync("embed --json --exit 3", "tea")).Lines[0];
        Assert.Equal(last, (await CommandLine.RunAsync("embed --json --exit 6 --exit-norm raw", "tea")).Lines[0]);
        Assert.NotEqual(early, (await CommandLine.RunAsync("embed --json --exit 3 --exit-norm raw", "tea")).Lines[0]);
        Assert.Equal(early, (await CommandLine.RunAsync("embed --json --exit 3 --exit-norm final", "tea")).Lines[0]);
    }

    /// <summary>Lines without end, which stop the work after some of them.</summary>
    private sealed class EndlessLines(CancellationTokenSource stop, int after) : MemoryStream
    {
        private int _given;

        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer)
        {
            for (int i = 0; i < buffer.Length; i++)
            {
                buffer[i] = _given++ % 40 == 39 ? (byte)'\n' : (byte)'w';
            }

            if (_given > after)
            {
                stop.Cancel();
            }

            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
