using Xunit;

namespace SkMmBert.Tests;

/// <summary>The BERT encoder (layout of mxbai-embed-2d-large-v1) against the reference.</summary>
public sealed class TinyBertTests
{
    [Fact]
    public void Run_EveryTextAndExit_VectorsEqualReference()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.TinyBert, Goldens.Options);
        AssertEqualsReference(model);
        Assert.Equal(ModelPooling.Cls, model.Manifest.Pooling);
    }

    [Theory]
    [InlineData("prefix-bert")]
    [InlineData("prefix-bert-gamma-beta")]
    public void Open_OtherNames_VectorsEqualReference(string variant)
    {
        using TemporaryFolder folder = ModelFolders.Variant(variant);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        AssertEqualsReference(model);
    }

    [Fact]
    public void Run_MixedBatch_EqualsSingleRuns()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.TinyBert, Goldens.Options);
        int[][] texts = [.. Goldens.Texts("tiny-bert-2d").Take(12)];
        using LayerState together = model.Run(TokenBatch.Of(texts), 8, default);
        float[] pooled = new float[texts.Length * 64];
        model.Pool(together, false, pooled);
        for (int text = 0; text < texts.Length; text++)
        {
            using LayerState alone = model.Run(TokenBatch.Of(texts[text]), 8, default);
            float[] one = new float[64];
            model.Pool(alone, false, one);
            Assert.True(Goldens.MaxDifference(pooled.AsSpan(text * 64, 64), one) <= 1e-5, $"text {text}");
        }
    }

    private static void AssertEqualsReference(MmBertModel model)
    {
        using SafetensorsFile golden = Goldens.Tensors("tiny-bert-2d", "golden.safetensors");
        int[][] texts = Goldens.Texts("tiny-bert-2d");
        for (int text = 0; text < texts.Length; text++)
        {
            for (int k = 1; k <= 8; k++)
            {
                using LayerState state = model.Run(TokenBatch.Of(texts[text]), k, default);
                float[] pooled = new float[64];
                model.Pool(state, finalNorm: false, pooled);
                Assert.True(Goldens.MaxDifference(pooled, golden.Read($"cls.{k}").AsSpan(text * 64, 64)) <= 3e-5, $"text {text}, exit {k}");
                foreach (int d in new[] { 64, 32, 16, 8 })
                {
                    Assert.True(Goldens.MaxDifference(Goldens.Unit(pooled, d), golden.Read($"vector.{k}.{d}").AsSpan(text * d, d)) <= 5e-6, $"text {text}, exit {k}, dimension {d}");
                }

                if (golden.Tensors.ContainsKey($"text.{text}.hidden.{k}"))
                {
                    Assert.True(Goldens.MaxDifference(state.Hidden, golden.Read($"text.{text}.hidden.{k}")) <= 1e-4, $"text {text}, layer {k}");
                }
            }
        }
    }
}
