using Xunit;

namespace SkMmBert.Tests;

public sealed class QuantizerTests
{
    [Fact]
    public void Lost_EvenAndNormalWeights_FarBelowTheLimit()
    {
        Random random = new(1);
        Assert.InRange(Quantizer.Lost([.. Enumerable.Range(0, 256 * 256).Select(_ => (random.NextSingle() * 2) - 1)], 256, 256), 0.003, 0.005);
        Assert.InRange(Quantizer.Lost([.. Enumerable.Range(0, 256 * 256).Select(_ => (float)Normal(random))], 256, 256), 0.005, 0.009);
        Assert.Equal(0, Quantizer.Lost(new float[16], 4, 4));
    }

    [Fact]
    public void Lost_OneLargeWeightInEachRow_AboveTheLimit()
    {
        Random random = new(1);
        float[] matrix = [.. Enumerable.Range(0, 256 * 256).Select(i => (i / 256 == i % 256 ? 1 : 0) + (0.006f * (float)Normal(random)))];
        Assert.True(Quantizer.Lost(matrix, 256, 256) > Quantizer.MostLost);
    }

    [Fact]
    public void Kept_FullSizeFormulaWeights_None()
    {
        EncoderConfig config = EncoderConfig.Read(FullSizeTests.Folder());
        using SafetensorsFolder weights = SafetensorsFolder.Open(FullSizeTests.Folder(), config);
        Assert.Empty(Quantizer.Kept(config, ModelPrecision.Int8, weights));
    }

    [Fact]
    public async Task Score_Int8WithMatricesThatRoundingWouldHarm_CloseToFp32()
    {
        using TemporaryFolder cache = new();
        using MmBertModel exact = MmBertModel.Open(Paths.MiniRerank, Goldens.Options), rounded = MmBertModel.Open(Paths.MiniRerank, Goldens.Options with { Precision = ModelPrecision.Int8, CacheFolder = cache.Path });
        using MmBertReranker first = new(exact), second = new(rounded);
        string[] texts = [.. Enumerable.Range(0, 20).Select(i => $"{(i % 2 == 0 ? "get_weather: Get the current weather for a city" : "play_music: Play a song")} number {i} {string.Join(' ', Enumerable.Repeat("rain", i))}")];
        IReadOnlyDictionary<string, float[]> expected = await first.ScoreEveryHeadAsync("What is the weather in Paris?", texts, cancellationToken: TestContext.Current.CancellationToken);
        IReadOnlyDictionary<string, float[]> actual = await second.ScoreEveryHeadAsync("What is the weather in Paris?", texts, cancellationToken: TestContext.Current.CancellationToken);
        foreach ((string head, float[] logits) in expected)
        {
            double difference = logits.Zip(actual[head], (a, b) => Math.Abs(a - b)).Average(), spread = Math.Sqrt(logits.Average(logit => Math.Pow(logit - logits.Average(), 2)));
            TestContext.Current.TestOutputHelper?.WriteLine($"{head}: {difference:0.000} of a spread of {spread:0.00}");
            Assert.True(difference <= (0.5 * spread) + 0.05, $"{head}: {difference:0.000} of a spread of {spread:0.00}");
        }

        string[] kept = File.ReadAllLines(Directory.EnumerateFiles(cache.Path, "kept.txt", SearchOption.AllDirectories).Single());
        TestContext.Current.TestOutputHelper?.WriteLine($"in fp32: {string.Join(' ', kept)}");
        EncoderConfig config = EncoderConfig.Read(Paths.MiniRerank);
        Assert.True(kept.Length < Quantizer.Weights(config).Count(weight => weight.IsMatrix) / 2);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
