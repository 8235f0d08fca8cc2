using Xunit;

namespace SkMmBert.Tests;

/// <summary>What stands between two int8 products against the plain formulas in double precision.</summary>
public sealed unsafe class RoundingKernelTests
{
    private const double Eps = 1e-5;

    [Theory]
    [InlineData(16, false, false)]
    [InlineData(768, true, false)]
    [InlineData(96, false, true)]
    [InlineData(1_152, true, true)]
    public void Round_SumAndNorm_EqualsThePlainForm(int width, bool summed, bool normed)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Random random = new(width);
        float[] x = Floats(random, 3 * width), y = Floats(random, 3 * width), factors = Floats(random, 3), weight = Floats(random, width), sums = new float[3 * width], scales = new float[3];
        byte[] bytes = new byte[3 * width];
        fixed (float* px = x, py = y, pf = factors, pw = weight, ps = sums, pc = scales)
        fixed (byte* pb = bytes)
        {
            RoundingKernel.Rows rows = new((nint)px, summed ? (nint)py : 0, (nint)pf, normed ? (nint)pw : 0, (float)Eps, width, (nint)pb, (nint)pc, (nint)ps);
            for (int row = 0; row < 3; row++)
            {
                RoundingKernel.Round(rows, row);
                double[] sum = [.. Enumerable.Range(row * width, width).Select(i => x[i] + (summed ? (double)y[i] * factors[row] : 0))];
                Assert.True(sum.Zip(sums.Skip(row * width), (a, b) => Math.Abs(a - b)).Max() <= 1e-6);
                double mean = sum.Average(), deviation = Math.Sqrt(sum.Average(value => (value - mean) * (value - mean)) + Eps);
                AssertBytes(normed ? [.. sum.Select((value, d) => (value - mean) / deviation * weight[d])] : sum, bytes.AsSpan(row * width, width), scales[row], 1);
            }
        }
    }

    [Fact]
    public void Round_Zeros_IsTheZeroPointAndFinite()
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        float[] x = new float[32];
        float scale;
        byte[] bytes = new byte[32];
        fixed (float* px = x)
        fixed (byte* pb = bytes)
        {
            RoundingKernel.Round(new((nint)px, 0, 0, 0, 0f, 32, (nint)pb, (nint)(&scale), 0), 0);
        }

        Assert.All(bytes, value => Assert.Equal(128, value));
        Assert.True(scale > 0 && float.IsFinite(scale));
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(-6f)]
    [InlineData(0.01f)]
    public void Gate_AnyFactor_EqualsThePlainForm(float factor)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        const int width = 1_152;
        Random random = new(3);
        float[] a = Floats(random, width), b = Floats(random, width);
        float scale, held = factor;
        byte[] bytes = new byte[width];
        fixed (float* pa = a, pb = b)
        fixed (byte* to = bytes)
        {
            RoundingKernel.Gate(new((nint)pa, (nint)pb, (nint)(&held), 0, 0f, width, (nint)to, (nint)(&scale), 0), 0);
        }

        AssertBytes([.. a.Zip(b, (x, y) => Gelu(x * factor) * y * factor)], bytes, scale, Math.Sign(factor));
    }

    private static void AssertBytes(double[] values, ReadOnlySpan<byte> bytes, float scale, int sign)
    {
        double largest = values.Max(Math.Abs);
        Assert.Equal(largest / 127, Math.Abs(scale), largest * 1e-5);
        Assert.Equal(sign, Math.Sign(scale));
        for (int i = 0; i < values.Length; i++)
        {
            Assert.True(Math.Abs(((bytes[i] - 128) * scale) - values[i]) <= Math.Abs(scale) * 0.501, $"value {i}: {values[i]} became {(bytes[i] - 128) * scale}");
        }
    }

    // x·Φ(x), the integral by Simpson's rule.
    private static double Gelu(double x)
    {
        const int steps = 2_000;
        double h = x / steps, sum = 0;
        for (int i = 0; i <= steps; i++)
        {
            sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-h * i * h * i / 2);
        }

        return x * (0.5 + (sum * h / 3 / Math.Sqrt(2 * Math.PI)));
    }

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 4) - 2)];
}
