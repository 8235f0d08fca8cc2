using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The shipped embedder against the cases that were published with it.</summary>
public sealed class MiniConformanceTests
{
    [Fact]
    public void Open_MiniEmbed_IdsAndVectorsEqualItsConformanceFile()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options);
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Paths.MiniEmbed, "conformance.json")));
        double tolerance = file.RootElement.GetProperty("suggested_abs_tolerance").GetDouble();
        foreach (JsonElement item in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] ids = model.Tokenizer.Encode(text).Ids;
            Assert.Equal(item.GetProperty("ids").Ints(), ids);
            foreach (JsonProperty exit in item.GetProperty("exits").EnumerateObject())
            {
                using LayerState state = model.Run(TokenBatch.Of(ids), int.Parse(exit.Name, System.Globalization.CultureInfo.InvariantCulture), default);
                float[] pooled = new float[256];
                model.Pool(state, finalNorm: true, pooled);
                float[] expected = [.. exit.Value.GetProperty("unit_64").EnumerateArray().Select(value => value.GetSingle())];
                Assert.True(Goldens.MaxDifference(Goldens.Unit(pooled, 64), expected) <= tolerance, $"\"{text}\", exit {exit.Name}");
            }
        }
    }

    [Fact]
    public void Manifest_MiniPair_SaysWhatItsFilesSay()
    {
        using MmBertModel embed = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options);
        Assert.Equal((6, 256, ModelPooling.Mean, ExitNorm.FinalNorm, false), (embed.Manifest.Layers, embed.Manifest.HiddenSize, embed.Manifest.Pooling, embed.Manifest.ExitNorm, embed.Manifest.HasScoreHeads));
        Assert.Equal([1, 2, 3, 6], embed.Manifest.Exits);
        Assert.Equal([256, 128, 64], embed.Manifest.Dimensions);
        Assert.Equal([64, 128, 256], embed.Manifest.Tiers);
        using MmBertModel rerank = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        Assert.True(rerank.Manifest.HasScoreHeads);
    }
}
