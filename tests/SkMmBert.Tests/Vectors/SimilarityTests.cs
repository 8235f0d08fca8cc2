using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests;

public sealed class SimilarityTests
{
    [Fact]
    public void Dot_AnyBytes_EqualsThePlainForm() => Prop.ForAll<sbyte[], sbyte[], int>((a, b, repeat) =>
    {
        int length = Math.Min(a.Length, b.Length), times = 1 + (Math.Abs(repeat % 40));
        sbyte[] left = [.. Enumerable.Repeat(a[..length], times).SelectMany(x => x)], right = [.. Enumerable.Repeat(b[..length], times).SelectMany(x => x)];
        return Similarity.Dot(left, right) == Similarity.DotPlain(left, right);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(31)]
    [InlineData(64)]
    [InlineData(768)]
    [InlineData(1001)]
    public void Dot_LargestBytes_DoesNotOverflow(int length)
    {
        sbyte[] lowest = new sbyte[length];
        lowest.AsSpan().Fill(-128);
        Assert.Equal(length * 16_384, Similarity.Dot(lowest, lowest));
    }

    [Fact]
    public void Dot_DifferentLengths_IsRefused() => Assert.Throws<ArgumentException>(() => Similarity.Dot(new sbyte[3], new sbyte[4]));

    [Fact]
    public void Cosine_Zeros_IsZeroNotNaN()
    {
        Assert.Equal(0, Similarity.Cosine([0, 0], [1, 0]));
        Assert.Equal(1, Similarity.Cosine([2, 0], [3, 0]), 1e-6f);
        Assert.Equal(-1, Similarity.Cosine([2, 0], [-3, 0]), 1e-6f);
    }

    [Fact]
    public void Signs_Components_AreBitsAndHammingCountsDifferences()
    {
        float[] vector = new float[70];
        vector[0] = 1;
        vector[63] = 0.5f;
        vector[64] = 2;
        vector[69] = -1;
        ulong[] signs = new ulong[Quantization.SignWords(vector.Length)];
        Quantization.Signs(vector, signs);
        Assert.Equal([1UL | (1UL << 63), 1UL], signs);
        Assert.Equal(signs[0], Quantization.Signs64(vector));
        Assert.Equal(3, Similarity.Hamming(signs, [0, 0]));
        Assert.Equal(1, Similarity.Hamming(0b101, 0b100));
    }

    [Fact]
    public void ToInt8_AnyFloats_AreWithinHalfAScale() => Prop.ForAll<float[]>(vector =>
    {
        float[] finite = [.. vector.Select(x => float.IsFinite(x) ? Math.Clamp(x, -1e30f, 1e30f) : 0)];
        sbyte[] bytes = new sbyte[finite.Length];
        float[] back = new float[finite.Length];
        float scale = Quantization.ToInt8(finite, bytes);
        Quantization.ToFloat(bytes, scale, back);
        return float.IsFinite(scale) && (scale == 0 || finite.Zip(back).All(pair => Math.Abs(pair.First - pair.Second) <= scale * 0.5001f));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void ToInt8_UnitVectors_KeepTheCosine()
    {
        Random random = new(5);
        for (int round = 0; round < 50; round++)
        {
            float[] a = new float[256], b = new float[256];
            for (int i = 0; i < a.Length; i++)
            {
                (a[i], b[i]) = ((float)random.NextDouble() - 0.5f, (float)random.NextDouble() - 0.5f);
            }

            Matryoshka.Normalise(a);
            Matryoshka.Normalise(b);
            sbyte[] x = new sbyte[256], y = new sbyte[256];
            float scale = Quantization.ToInt8(a, x) * Quantization.ToInt8(b, y);
            Assert.Equal(Similarity.Dot(a, b), scale * Similarity.Dot(x, y), 0.01f);
        }
    }

    [Fact]
    public void ToInt8_Zeros_HasScaleZero()
    {
        sbyte[] bytes = [9, 9];
        Assert.Equal(0, Quantization.ToInt8([0, 0], bytes));
        Assert.Equal([0, 0], bytes);
        Assert.Equal(0, Quantization.ToInt8([], []));
    }
}
