using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The full-size reranker (22 layers, 20 heads) with formula weights against the reference.</summary>
public sealed class FullSizeRerankTests
{
    [Fact]
    public void Score_EveryPairHeadAndConvention_EqualsReference()
    {
        using MmBertModel model = MmBertModel.Open(Folder(), Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("fullsize-formula", "golden.safetensors");
        ScoreHeads heads = ScoreHeads.Read(model.Manifest.Folder, model.Config);
        JsonProperty[] pairs = [.. Goldens.Json("fullsize-formula", "cases.json").GetProperty("pairs").EnumerateObject()];
        RerankUnit[] units = [.. pairs.Select((pair, i) => new RerankUnit(i, pair.Value.Ints()))];
        double worst = 0;
        foreach ((string convention, RerankNorm norm) in new[] { ("legacy", new RerankNorm(true, false, 22)), ("normed", new RerankNorm(true, true, 22)) })
        {
            IReadOnlyDictionary<string, float[]> scores = RerankHeads.Score(model, heads, norm, units, units.Length, TestContext.Current.CancellationToken);
            for (int i = 0; i < pairs.Length; i++)
            {
                float[] actual = [.. heads.Exits.SelectMany(exit => heads.Dimensions.Select(dimension => scores[$"{exit}.{dimension}"][i]))];
                double difference = Goldens.MaxDifference(actual, golden.Read($"rerank.{pairs[i].Name}.{convention}.logits"));
                Assert.True(difference <= 1e-4, $"{pairs[i].Name}, {convention}: {difference:E1}");
                worst = Math.Max(worst, difference);
            }
        }

        Assert.Equal((4, 20), (pairs.Length, heads.Exits.Count * heads.Dimensions.Count));
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of {pairs.Length * 40} logits: {worst:E1}");
    }

    [Fact]
    public void Open_WithoutContract_FollowsThePublishedRule()
    {
        EncoderConfig config = EncoderConfig.Read(Folder());
        RerankNorm norm = RerankNorm.Of(config, null);
        Assert.Equal((true, true, true, false), (norm.At(3), norm.At(6), norm.At(11), norm.At(22)));
        Assert.Equal([3, 6, 11, 22], config.Exits);
    }

    private static string Folder() => FormulaModel.RerankFolder(Paths.Goldens, Path.Combine(Paths.Root, "artifacts"), Paths.MiniEmbed);
}
