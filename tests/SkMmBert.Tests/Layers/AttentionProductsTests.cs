using Xunit;

namespace SkMmBert.Tests;

/// <summary>The product and the transposition that attention is made of, against the plain form.</summary>
public sealed unsafe class AttentionProductsTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(64, true)]
    [InlineData(96, false)]
    public void Multiply_Singles_EqualsThePlainForm(int steps, bool accumulate)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        float[] a = Numbers(8 * steps, 1), b = Numbers(steps * 32, 2), c = Numbers(8 * 40, 3), expected = [.. c];
        for (int row = 0; row < 8; row++)
        {
            for (int column = 0; column < 32; column++)
            {
                double sum = accumulate ? c[(row * 40) + column] : 0;
                for (int step = 0; step < steps; step++)
                {
                    sum += a[(step * 8) + row] * (double)b[(step * 32) + column];   // rows side by side
                }

                expected[(row * 40) + column] = (float)sum;
            }
        }

        fixed (float* left = a, right = b, to = c)
        {
            AttentionProducts.Multiply<float, AttentionProducts.Single>(left, 1, 8, right, steps, to, 40, accumulate);
        }

        Assert.True(Goldens.MaxDifference(c, expected) <= 1e-5);   // the gap between rows is left as it was
    }

    [Fact]
    public void Multiply_Pairs_IsExact()
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        const int steps = 48;
        Random random = new(4);
        int[] a = [.. Enumerable.Range(0, 8 * steps).Select(_ => Pair(random.Next(0, 10_923), random.Next(0, 10_923)))], b = [.. Enumerable.Range(0, steps * 32).Select(_ => Pair(random.Next(-2_047, 2_048), random.Next(-2_047, 2_048)))], c = new int[8 * 32];
        fixed (int* left = a, right = b, to = c)
        {
            AttentionProducts.Multiply<int, AttentionProducts.Pair>(left, steps, 1, right, steps, to, 32, accumulate: false);
        }

        for (int row = 0; row < 8; row++)
        {
            for (int column = 0; column < 32; column++)
            {
                long sum = 0;
                for (int step = 0; step < steps; step++)
                {
                    (int x, int y) = (a[(row * steps) + step], b[(step * 32) + column]);
                    sum += ((short)x * (short)y) + ((x >> 16) * (y >> 16));
                }

                Assert.Equal(sum, c[(row * 32) + column]);
            }
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(64)]
    [InlineData(7)]
    public void Transpose_AnyWidth_MovesEveryNumber(int columns)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        float[] from = [.. Enumerable.Range(0, 32 * columns).Select(i => (float)i)], to = new float[32 * columns];
        fixed (float* source = from, destination = to)
        {
            AttentionProducts.Transpose(source, 32, columns, destination);
        }

        Assert.Equal(Enumerable.Range(0, 32 * columns).Select(i => from[(i % 32 * columns) + (i / 32)]), to);
    }

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static int Pair(int low, int high) => (low & 0xFFFF) | (high << 16);
}
