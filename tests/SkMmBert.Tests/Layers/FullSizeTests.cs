using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The full-size encoder (22 layers, vocabulary 256,000) with formula weights against the reference.</summary>
public sealed class FullSizeTests
{
    private static readonly int[] Exits = [3, 6, 11, 22], Dimensions = [768, 512, 256, 128, 64];

    /// <summary>The folder with the formula model; 1.2 GB, made once.</summary>
    public static string Folder() => FormulaModel.Folder(Paths.Goldens, Path.Combine(Paths.Root, "artifacts"), Paths.MiniEmbed);

    [Fact]
    public void Run_EveryTextExitAndConvention_EqualsReference()
    {
        using MmBertModel model = MmBertModel.Open(Folder(), Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("fullsize-formula", "golden.safetensors");
        (double worstPooled, double worstVector) = (0, 0);
        foreach (JsonProperty text in Goldens.Json("fullsize-formula", "cases.json").GetProperty("texts").EnumerateObject())
        {
            LayerState? state = null;
            foreach (int k in Exits)
            {
                // Each exit goes on from the one before, as a progressive search does.
                LayerState next = state is null ? model.Run(TokenBatch.Of(text.Value.Ints()), k, default) : model.Continue(state, k, default);
                state?.Dispose();
                state = next;
                int tokens = state.Lengths[0];
                foreach (bool norm in new[] { false, true })
                {
                    string name = $"{text.Name}.{k}.{(norm ? "norm" : "raw")}";
                    float[] pooled = Pool(model, state, norm);
                    worstPooled = Math.Max(worstPooled, AssertWithin(3e-5, pooled, golden.Read(name + ".pooled"), name));
                    foreach (int d in Dimensions)
                    {
                        worstVector = Math.Max(worstVector, AssertWithin(5e-6, Goldens.Unit(pooled, d), Goldens.Unit(golden.Read(name + ".pooled"), d), $"{name}, dimension {d}"));
                    }

                    AssertWithin(5e-6, Goldens.Unit(pooled, 768), golden.Read(name + ".l2"), name + ".l2");
                }

                float[] states = [.. new[] { 0, tokens / 2, tokens - 1 }.SelectMany(p => state.Hidden.Slice(p * 768, 768).ToArray())];
                AssertWithin(1e-4, states, golden.Read($"{text.Name}.{k}.raw.states"), $"{text.Name}.{k} states");
            }

            state!.Dispose();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference: pooled {worstPooled:E1}, vectors {worstVector:E1}");
    }

    [Fact]
    public void Run_MixedBatch_EqualsReferenceOfThePaddedBatch()
    {
        using MmBertModel model = MmBertModel.Open(Folder(), Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("fullsize-formula", "golden.safetensors");
        JsonElement cases = Goldens.Json("fullsize-formula", "cases.json");
        string[] names = [.. cases.GetProperty("batch").EnumerateArray().Select(name => name.GetString()!)];
        int[][] texts = [.. names.Select(name => cases.GetProperty("texts").GetProperty(name).Ints())];
        foreach (int k in Exits)
        {
            using LayerState state = model.Run(TokenBatch.Of(texts), k, default);
            float[] pooled = Pool(model, state, finalNorm: true);
            for (int row = 0; row < names.Length; row++)
            {
                AssertWithin(3e-5, pooled.AsSpan(row * 768, 768), golden.Read($"batch.{names[row]}.{k}.norm.pooled"), $"{names[row]}, exit {k}");
            }
        }
    }

    [Fact]
    public void Run_Int8_PooledCosineAtLeast99PercentAndIndependentOfNeighbours()
    {
        using MmBertModel model = MmBertModel.Open(Folder(), Goldens.Options with { Precision = ModelPrecision.Int8 });
        using SafetensorsFile golden = Goldens.Tensors("fullsize-formula", "golden.safetensors");
        JsonElement texts = Goldens.Json("fullsize-formula", "cases.json").GetProperty("texts");
        foreach (JsonProperty text in texts.EnumerateObject().Where(text => text.Value.GetArrayLength() <= 700))
        {
            using LayerState alone = model.Run(TokenBatch.Of(text.Value.Ints()), 22, default);
            float[] pooled = Pool(model, alone, finalNorm: true);
            double cosine = Cosine(pooled, golden.Read(text.Name + ".22.norm.pooled"));
            Assert.True(cosine >= 0.99, $"{text.Name}: {cosine:F4}");

            int[] other = [.. text.Value.Ints().Reverse()];
            using LayerState beside = model.Run(TokenBatch.Of(other, text.Value.Ints(), other), 22, default);
            Assert.True(Pool(model, beside, finalNorm: true).AsSpan(768, 768).SequenceEqual(pooled), $"{text.Name} differs beside others of its length");
        }
    }

    private static float[] Pool(MmBertModel model, LayerState state, bool finalNorm)
    {
        float[] pooled = new float[state.Lengths.Length * 768];
        model.Pool(state, finalNorm, pooled);
        return pooled;
    }

    private static double AssertWithin(double tolerance, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, string what)
    {
        double difference = Goldens.MaxDifference(actual, expected);
        Assert.True(difference <= tolerance, $"{what}: {difference:E1}");
        return difference;
    }

    private static double Cosine(float[] a, float[] b) => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(a, b);
}
