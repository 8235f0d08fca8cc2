using System.Runtime.InteropServices;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The encoder against the reference, tensor by tensor, on a random model in which every part shows.</summary>
public sealed class TinyModernBertTests
{
    private const double StateTolerance = 1e-4, PooledTolerance = 3e-5, VectorTolerance = 5e-6;
    private static readonly int[] Dimensions = [96, 64, 32, 16, 8];

    [Fact]
    public void Run_EveryTextAndLayer_HiddenStatesEqualReference()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("tiny-modernbert", "states.safetensors");
        int[][] texts = Goldens.Texts("tiny-modernbert");
        for (int text = 0; text < texts.Length; text++)
        {
            long[] positions = MemoryMarshal.Cast<byte, long>(golden.Bytes(golden.Find($"text.{text}.positions"))).ToArray();
            for (int k = 0; k <= 7; k++)
            {
                using LayerState state = model.Run(TokenBatch.Of(texts[text]), k, default);
                float[] expected = golden.Read($"text.{text}.hidden.{k}");
                float[] actual = [.. positions.SelectMany(p => state.Hidden.Slice((int)p * 96, 96).ToArray())];
                Assert.True(Goldens.MaxDifference(actual, expected) <= StateTolerance, $"text {text}, layer {k}: {Goldens.MaxDifference(actual, expected):E1}");
            }
        }
    }

    [Fact]
    public void Pool_EveryExitDimensionAndConvention_VectorsEqualReference()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        AssertPooled(model, Path.Combine(Paths.Goldens, "tiny-modernbert", "pooled.safetensors"), withVectors: true);
    }

    [Theory]
    [InlineData("prefix-model")]
    [InlineData("prefix-orig-mod")]
    [InlineData("prefix-orig-mod-model")]
    [InlineData("bf16")]
    [InlineData("fp16")]
    [InlineData("sharded")]
    [InlineData("yarn")]
    [InlineData("yarn-full-only")]
    [InlineData("tf5")]
    public void Open_Variant_VectorsEqualItsReference(string variant)
    {
        using TemporaryFolder folder = ModelFolders.Variant(variant);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        string own = Path.Combine(Paths.Goldens, "tiny-modernbert", "variants", variant, "pooled.safetensors");
        AssertPooled(model, File.Exists(own) ? own : Path.Combine(Paths.Goldens, "tiny-modernbert", "pooled.safetensors"), withVectors: false);
    }

    [Fact]
    public void Run_MixedBatch_VectorsEqualReferenceAndSingleRuns()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("tiny-modernbert", "batches.safetensors");
        int[][] texts = Goldens.Texts("tiny-modernbert");
        int[][] batches = [.. Goldens.Json("tiny-modernbert", "cases.json").GetProperty("batches").EnumerateArray().Select(Goldens.Ints)];
        for (int b = 0; b < batches.Length; b++)
        {
            for (int k = 1; k <= 7; k++)
            {
                float[] pooled = Pool(model, [.. batches[b].Select(text => texts[text])], k, finalNorm: true);
                Assert.True(Goldens.MaxDifference(pooled, golden.Read($"batch.{b}.pooled.{k}.norm")) <= PooledTolerance, $"batch {b}, exit {k}");
                float[] alone = [.. batches[b].SelectMany(text => Pool(model, [texts[text]], k, finalNorm: true))];
                Assert.True(Goldens.MaxDifference(pooled, alone) <= 1e-5, $"batch {b}, exit {k} alone");
            }
        }
    }

    [Theory]
    [InlineData(ModelPrecision.Fp32, false)]
    [InlineData(ModelPrecision.Int8, false)]
    [InlineData(ModelPrecision.Fp32, true)]
    [InlineData(ModelPrecision.Int8, true)]
    public void Continue_FromEveryExit_BitIdenticalToRunningThrough(ModelPrecision precision, bool standard)
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options with { Precision = precision, StandardAttention = standard });
        int[] text = Goldens.Texts("tiny-modernbert")[9];
        using LayerState whole = model.Run(TokenBatch.Of(text), 7, default);
        for (int k = 0; k <= 7; k++)
        {
            using LayerState early = model.Run(TokenBatch.Of(text), k, default);
            using LayerState late = model.Continue(early, 7, default);
            Assert.Equal(7, late.Exit);
            Assert.True(late.Hidden.SequenceEqual(whole.Hidden), $"from exit {k}: {Goldens.MaxDifference(late.Hidden, whole.Hidden):E1}");
        }
    }

    [Fact]
    public void Select_SomeRows_ContinueAsIfTheyHadBeenAlone()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        int[][] texts = Goldens.Texts("tiny-modernbert");
        using LayerState all = model.Run(TokenBatch.Of(texts[2], texts[4], texts[9]), 3, default);
        using LayerState some = model.Select(all, [2, 0]);
        Assert.Equal([texts[9].Length, texts[2].Length], some.Lengths);
        using LayerState end = model.Continue(some, 7, default);
        float[] pooled = new float[2 * 96];
        model.Pool(end, true, pooled);
        Assert.True(Goldens.MaxDifference(pooled, [.. Pool(model, [texts[9]], 7, true), .. Pool(model, [texts[2]], 7, true)]) <= 1e-5);
    }

    private static void AssertPooled(MmBertModel model, string goldenFile, bool withVectors)
    {
        using SafetensorsFile golden = SafetensorsFile.Open(goldenFile);
        int[][] texts = Goldens.Texts("tiny-modernbert");
        int compared = 0;
        foreach (string name in golden.Tensors.Keys.Where(key => key.StartsWith("pooled.", StringComparison.Ordinal)))
        {
            (int k, bool norm) = (name[7] - '0', name.EndsWith("norm", StringComparison.Ordinal));
            float[] all = golden.Read(name);
            for (int text = 0; text < all.Length / 96; text++)
            {
                float[] pooled = Pool(model, [texts[text]], k, norm);
                ReadOnlySpan<float> expected = all.AsSpan(text * 96, 96);
                Assert.True(Goldens.MaxDifference(pooled, expected) <= PooledTolerance, $"{name}, text {text}: {Goldens.MaxDifference(pooled, expected):E1}");
                foreach (int d in withVectors ? Dimensions : [])
                {
                    ReadOnlySpan<float> vector = golden.Read($"vector.{k}.{(norm ? "norm" : "raw")}.{d}").AsSpan(text * d, d);
                    Assert.True(Goldens.MaxDifference(Goldens.Unit(pooled, d), vector) <= VectorTolerance, $"{name}, text {text}, dimension {d}");
                    compared++;
                }

                compared++;
            }
        }

        Assert.True(compared > 0);
    }

    private static float[] Pool(MmBertModel model, int[][] texts, int exit, bool finalNorm)
    {
        using LayerState state = model.Run(TokenBatch.Of(texts), exit, default);
        float[] pooled = new float[texts.Length * model.Manifest.HiddenSize];
        model.Pool(state, finalNorm, pooled);
        return pooled;
    }
}
