using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests;

public sealed class MatryoshkaTests
{
    [Fact]
    public void Normalise_AnyFiniteFloats_IsLengthOneOrZeros() => Prop.ForAll<float[]>(vector =>
    {
        float[] finite = [.. vector.Select(x => float.IsFinite(x) ? x : 1)];
        bool zeros = finite.All(x => x == 0);
        Matryoshka.Normalise(finite);
        double length = Math.Sqrt(finite.Sum(x => (double)x * x));
        return finite.All(float.IsFinite) && (zeros ? length == 0 : Math.Abs(length - 1) < 1e-4);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(float.MaxValue)]
    [InlineData(1e30f)]
    [InlineData(1e-30f)]
    [InlineData(float.Epsilon)]
    public void Normalise_SquaresLeaveTheRange_IsStillLengthOne(float value)
    {
        float[] vector = [value, 0, -value, 0];
        Matryoshka.Normalise(vector);
        Assert.Equal(0.70710678f, vector[0], 1e-6f);
        Assert.Equal(-0.70710678f, vector[2], 1e-6f);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Normalise_NotFinite_IsRefused(float value) => Assert.Throws<ArithmeticException>(() => Matryoshka.Normalise([1, value]));

    [Fact]
    public void Shape_LayerNormFirst_NormsTheWholeRowThenSlices()
    {
        float[] vector = new float[2];
        Matryoshka.Shape([1, 2, 3, 6], vector, MatryoshkaRecipe.LayerNormFirst);

        // Mean 3: the prefix is (-2, -1) over the deviation, which L2 removes.
        Assert.Equal(-2 / MathF.Sqrt(5), vector[0], 1e-6f);
        Assert.Equal(-1 / MathF.Sqrt(5), vector[1], 1e-6f);
    }

    [Fact]
    public void Shape_Prefix_EqualsSliceOfTheFullVectorNormalised() => Prop.ForAll<float[]>(row =>
    {
        // Of the size that states have: a prefix 1e-40 times its row would vanish in the full vector.
        float[] pooled = [.. row.Select(x => !float.IsFinite(x) ? 1 : MathF.Abs(x) < 1e-3f ? 0 : Math.Clamp(x, -1e3f, 1e3f))];
        int half = pooled.Length / 2;
        float[] full = new float[pooled.Length], prefix = new float[half];
        Matryoshka.Shape(pooled, full, MatryoshkaRecipe.Matryoshka);
        Matryoshka.Shape(pooled, prefix, MatryoshkaRecipe.Matryoshka);
        float[] sliced = full[..half];
        Matryoshka.Normalise(sliced);
        return prefix.Zip(sliced).All(pair => Math.Abs(pair.First - pair.Second) < 1e-5f);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void DimensionsIn_Tiers_AreRead()
    {
        ModelManifest manifest = new LetterModel().Manifest;
        Assert.Equal([64, 128, 256], Enum.GetValues<VectorTier>().Select(tier => tier.DimensionsIn(manifest)));
        Assert.Equal([256, 256, 256], Enum.GetValues<VectorTier>().Select(tier => tier.DimensionsIn(manifest with { Tiers = [] })));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((VectorTier)7).DimensionsIn(manifest));
    }
}
