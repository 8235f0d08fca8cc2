using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Scores equal those of the reference implementation.</summary>
public sealed class RerankGoldenTests
{
    private const double Tolerance = 1e-4;

    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-reranker");

    [Theory]
    [InlineData("legacy", false)]
    [InlineData("normed", false)]
    [InlineData("legacy", true)]
    [InlineData("normed", true)]
    public async Task ScoreEveryHead_EveryPairAndLength_EqualToReference(string convention, bool safetensors)
    {
        using TemporaryFolder folder = ModelFolders.Copy(Path.Combine(Tiny, "model"));
        if (convention == "normed")
        {
            File.Copy(Path.Combine(Tiny, "matryoshka_config.normed.json"), folder.File("matryoshka_config.json"), true);
        }

        if (safetensors)
        {
            File.Copy(Path.Combine(Tiny, "classification_heads.safetensors"), folder.File("classification_heads.safetensors"));
            File.Delete(folder.File("classification_heads.pt"));
        }

        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        using MmBertReranker reranker = new(model);
        using SafetensorsFile golden = SafetensorsFile.Open(Path.Combine(Tiny, "golden.safetensors"));
        JsonElement cases = Goldens.Json("tiny-reranker", "cases.json");
        (string Query, string Text)[] pairs = [.. cases.GetProperty("pairs").EnumerateArray().Select(pair => (pair.GetProperty("query").GetString()!, pair.GetProperty("passage").GetString()!))];
        int compared = 0;
        foreach (int length in cases.GetProperty("max_lengths").Ints())
        {
            int[] listed = PairsOf(golden, $"max_length.{length}.pairs");
            float[] logits = golden.Read($"max_length.{length}.{convention}.logits"), scores = golden.Read($"max_length.{length}.{convention}.scores");
            for (int row = 0; row < listed.Length; row++)
            {
                (string query, string text) = pairs[listed[row]];
                IReadOnlyDictionary<string, float[]> heads = await reranker.ScoreEveryHeadAsync(query, [text], length, TestContext.Current.CancellationToken);
                Assert.Equal(16, heads.Count);
                for (int exit = 0; exit < 4; exit++)
                {
                    for (int dimension = 0; dimension < 4; dimension++)
                    {
                        int at = (((row * 4) + exit) * 4) + dimension;
                        float logit = heads[$"{reranker.Exits[exit]}.{reranker.Dimensions[dimension]}"][0];
                        Assert.True(Math.Abs(logit - logits[at]) <= Tolerance, $"{length}, pair {listed[row]}, {exit}/{dimension}: {logit} and {logits[at]}");
                        Assert.True(Math.Abs((1 / (1 + Math.Exp(-logit))) - scores[at]) <= Tolerance);
                        compared++;
                    }
                }
            }
        }

        Assert.True(compared >= 41 * 16, $"{compared} scores were compared");
    }

    [Theory]
    [InlineData(RerankKind.Full)]
    [InlineData(RerankKind.Exit)]
    [InlineData(RerankKind.Progressive)]
    [InlineData(RerankKind.Deadline)]
    public async Task Score_AllTextsOfAQueryInOneCall_EqualToReference(RerankKind kind)
    {
        using MmBertModel model = MmBertModel.Open(Path.Combine(Tiny, "model"), Goldens.Options);
        using MmBertReranker reranker = new(model);
        using SafetensorsFile golden = SafetensorsFile.Open(Path.Combine(Tiny, "golden.safetensors"));
        float[] logits = golden.Read("max_length.512.legacy.logits");
        JsonElement.ArrayEnumerator pairs = Goldens.Json("tiny-reranker", "cases.json").GetProperty("pairs").EnumerateArray();
        RerankEffort effort = kind switch
        {
            RerankKind.Full => RerankEffort.Full,
            RerankKind.Exit => RerankEffort.Exit(3),
            RerankKind.Progressive => RerankEffort.Progressive,
            _ => RerankEffort.Deadline(TimeSpan.FromSeconds(60)),
        };
        foreach (var group in pairs.Select((pair, i) => (Pair: pair, i)).GroupBy(pair => pair.Pair.GetProperty("query").GetString()!))
        {
            string[] texts = [.. group.Select(pair => pair.Pair.GetProperty("passage").GetString()!)];
            RerankScore[] scores = await reranker.ScoreAsync(group.Key, texts, new RerankOptions { Effort = effort, RawScores = true, MaxTokens = 512, Dimension = 64 }, TestContext.Current.CancellationToken);
            foreach (((JsonElement _, int pair), RerankScore score) in group.Zip(scores))
            {
                int exit = reranker.Exits.ToList().IndexOf(score.Exit);
                Assert.True(kind == RerankKind.Progressive ? exit >= 0 : score.Exit == (kind == RerankKind.Exit ? 3 : 7));
                float expected = logits[(((pair * 4) + exit) * 4) + 1];
                Assert.True(Math.Abs(expected - score.Score) <= Tolerance, $"pair {pair} at exit {score.Exit}: {score.Score} and {expected}");
            }
        }
    }

    [Fact]
    public async Task Score_MiniRerank_PassesItsConformanceFile()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        using MmBertReranker reranker = new(model);
        using JsonDocument conformance = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Paths.MiniRerank, "conformance.json")));
        double tolerance = conformance.RootElement.GetProperty("suggested_abs_tolerance").GetDouble();
        int compared = 0;
        foreach (JsonElement pair in conformance.RootElement.GetProperty("cases").EnumerateArray())
        {
            IReadOnlyDictionary<string, float[]> heads = await reranker.ScoreEveryHeadAsync(
                pair.GetProperty("query").GetString()!, [pair.GetProperty("document").GetString()!], cancellationToken: TestContext.Current.CancellationToken);
            foreach (JsonProperty head in pair.GetProperty("logits").EnumerateObject())
            {
                Assert.True(Math.Abs(heads[head.Name][0] - head.Value.GetDouble()) <= tolerance, $"{head.Name}: {heads[head.Name][0]} and {head.Value}");
                compared++;
            }
        }

        Assert.Equal(20 * 12, compared);
    }

    private static unsafe int[] PairsOf(SafetensorsFile golden, string name)
    {
        SafetensorsTensor tensor = golden.Find(name);
        ReadOnlySpan<byte> bytes = golden.Bytes(tensor);
        int size = bytes.Length / (int)tensor.Elements;
        int[] values = new int[tensor.Elements];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.ToInt32(bytes.Slice(i * size, 4));
        }

        return values;
    }

    public enum RerankKind
    {
        Full,
        Exit,
        Progressive,
        Deadline,
    }
}
