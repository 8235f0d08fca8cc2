using System.Diagnostics;
using System.Text.Json;
using SkMmBert.Hub.Tests;
using Xunit;

namespace SkMmBert.Cli.Tests;

/// <summary>A model comes from a hub and is checked, as a person would do it: pull, then verify.</summary>
public sealed class PullVerbTests
{
    private const string Card = """
        ---
        license: mit
        ---
        # A reranker

        ```python
        pairs = [["Where does Ada live?", "Ada lives in Bern."], ["Where does Ada live?", "Rain is wet."]]
        print(score(pairs))  # [0.9999, 0.0001]
        ```
        """;

    [Fact]
    public async Task PullThenVerify_RerankerWithACard_ReproducesOrRefutesTheCard()
    {
        await using TestHub hub = await StartAsync("mini-rerank");
        hub.Files["README.md"] = System.Text.Encoding.UTF8.GetBytes(Card);
        using TemporaryFolder cache = new();
        (int code, string output, string error) = await RunAsync(hub, cache, "pull", TestHub.Name);
        Assert.Equal((0, ""), (code, output));
        Assert.Contains("licence: mit", error, StringComparison.Ordinal);
        Assert.Contains("skmmbert verify --model acme/encoder", error, StringComparison.Ordinal);

        (code, output, _) = await RunAsync(hub, cache, "verify", "--model", TestHub.Name, "--json", "--findings");
        JsonElement[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement[] published = [.. lines.Where(line => line.TryGetProperty("case", out JsonElement name) && name.GetString()!.StartsWith("the card's pair", StringComparison.Ordinal))];
        Assert.Equal(["the card's pair: 0.9999", "the card's pair: 0.0001"], published.Select(line => line.GetProperty("case").GetString()));
        Assert.Equal(published.All(line => line.GetProperty("ok").GetBoolean()) ? 0 : 1, code); // numbers that were made up may fit or not; a misfit is a failure
        Assert.Contains(lines, line => line.TryGetProperty("found", out JsonElement found) && found.GetString()!.Contains("the card says 0.9999 / 0.0001", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PullThenVerify_EmbedderWithoutNumbers_IsConsistentWithItself()
    {
        await using TestHub hub = await StartAsync("mini-embed");
        using TemporaryFolder cache = new();
        (int code, string output, _) = await RunAsync(hub, cache, "pull", TestHub.Name, "--json");
        Assert.Equal(0, code);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("bytes").GetInt64() > 1_000_000);

        (code, output, _) = await RunAsync(hub, cache, "verify", "--model", TestHub.Name, "--json");
        string[] cases = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("case").GetString()!)];
        Assert.Equal(0, code);
        Assert.Contains("exit 6: a text beside others is the text alone", cases);
        Assert.Contains("exit 1: 64 dimensions are the beginning of all", cases);
    }

    [Fact]
    public async Task Pull_OnnxOfAModelWithout_SaysWhatToDo()
    {
        await using TestHub hub = await StartAsync("mini-embed");
        using TemporaryFolder cache = new();
        (int code, _, string error) = await RunAsync(hub, cache, "pull", TestHub.Name, "--onnx");
        Assert.Equal(1, code);
        Assert.Contains("publishes no ONNX files", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("```\n\"Who is it?\"\n\"It is Ada herself.\" # 0.91\n\"No one at all.\" # 0.02\n```", 0.91, 0.02)]
    [InlineData("no code, 0.9 and 0.1", null, null)]
    [InlineData("```\nscore(\"Who is it?\", \"It is Ada herself.\") # 0.91\n```", null, null)]
    [InlineData("```\n\"Who is it?\" \"It is Ada herself.\" \"No one at all.\" # 0.02 0.91\n```", null, null)]
    public void Read_Card_FindsTheFittingTextAndItsScoreFirst(string card, double? relevant, double? irrelevant)
    {
        CardPair? pair = CardPair.Read(card);
        Assert.Equal((relevant, irrelevant), (pair?.Published?.Relevant, pair?.Published?.Irrelevant));
        Assert.Equal(relevant is null ? null : "Who is it?", pair?.Query);
    }

    private static async Task<TestHub> StartAsync(string model)
    {
        TestHub hub = await TestHub.StartAsync(withModel: false);
        string folder = Path.Combine(Paths.Root, "models", model);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) is not ("conformance.json" or "README.md")))
        {
            hub.Files[Path.GetRelativePath(folder, file).Replace('\\', '/')] = await File.ReadAllBytesAsync(file);
        }

        return hub;
    }

    // A process of its own, because the environment decides where a pull goes.
    private static async Task<(int Code, string Output, string Error)> RunAsync(TestHub hub, TemporaryFolder cache, params string[] arguments)
    {
        ProcessStartInfo start = new(Path.ChangeExtension(typeof(Program).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HF_ENDPOINT"] = hub.Endpoint.AbsoluteUri;
        start.Environment["HF_HUB_CACHE"] = cache.Root;
        start.Environment.Remove("HF_HUB_OFFLINE");
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        return (process.ExitCode, await output, await error);
    }
}
