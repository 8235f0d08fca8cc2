using Xunit;

namespace SkMmBert.Tests;

/// <summary>Our own attention against the plain formula in double precision.</summary>
public sealed unsafe class AttentionKernelTests
{
    private const int Heads = 2;

    [Theory]
    [InlineData(1, 0, 64)]
    [InlineData(2, 0, 24)]
    [InlineData(31, 0, 16)]
    [InlineData(33, 64, 64)]
    [InlineData(65, 64, 64)]
    [InlineData(129, 64, 32)]
    [InlineData(193, 0, 64)]
    [InlineData(300, 8, 64)]
    [InlineData(385, 64, 48)]
    [InlineData(600, 0, 64)]
    [InlineData(700, 64, 64)]
    [InlineData(700, 5, 24)]
    public void Run_AnyLengthWindowAndHead_EqualsThePlainForm(int length, int halfWindow, int headSize)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        foreach (bool rotated in new[] { false, true })
        {
            Input input = new(length, headSize, rotated);
            double worst = Goldens.MaxDifference(input.Run(halfWindow, coarse: false), input.Plain(halfWindow));
            Assert.True(worst <= 2e-6, $"{length} tokens, window {halfWindow}, head {headSize}, rotated {rotated}: {worst:E1}");
        }
    }

    [Theory]
    [InlineData(96, 0, 64)]
    [InlineData(255, 64, 64)]
    [InlineData(300, 8, 16)]
    [InlineData(301, 0, 128)]
    [InlineData(385, 64, 48)]
    [InlineData(600, 0, 64)]
    public void Run_Coarse_IsNearThePlainForm(int length, int halfWindow, int headSize)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Input input = new(length, headSize, rotated: true);
        double worst = Goldens.MaxDifference(input.Run(halfWindow, coarse: true), input.Plain(halfWindow));
        Assert.True(worst is > 1e-7 and <= 5e-4, $"{worst:E1}");   // more than nothing: the coarse path did run
    }

    [Theory]
    [InlineData(256, 128)]
    [InlineData(600, 64)]
    public void Run_LargestCoarseProducts_DoNotOverflow(int length, int headSize)
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Input input = new(length, headSize, rotated: false);
        foreach (float[] tensor in new[] { input.Q, input.K, input.V, input.Scale })
        {
            Array.Fill(tensor, 0.3f);   // every key weighs the same and every value is the largest of its column
        }

        Assert.True(Goldens.MaxDifference(input.Run(0, coarse: true), input.Plain(0)) <= 1e-4);
    }

    [Fact]
    public void Run_CoarseWithOneKeyThatOutweighsAll_KeepsTheOthers()
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Input input = new(2_000, 64, rotated: false);
        Array.Fill(input.Scale, 1f);
        input.Q.AsSpan().Fill(1f);
        input.V.AsSpan(input.Hidden, input.Hidden).Clear();
        for (int i = 0; i < input.K.Length; i++)
        {
            input.K[i] = i / input.Hidden == 1 ? 1.4f : input.K[i] / 64;   // e^11 against about 1: too little for a step of the first block's weights
        }

        float[] expected = input.Plain(0), actual = input.Run(0, coarse: true);
        double lost = Math.Sqrt(expected.Zip(actual, (x, y) => (x - (double)y) * (x - y)).Sum() / expected.Sum(x => x * (double)x));
        Assert.True(lost <= 0.3, $"{lost:F2}");   // the 95 beside it of 2,000 may go, and random values add up by the root of their number
    }

    [Fact]
    public void Run_StretchByStretch_IsTheSameToTheLastBit()
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Input input = new(640, 64, rotated: true);
        Assert.Equal(input.Run(0, coarse: false), input.Run(0, coarse: false, stretch: 64));
        Assert.True(Goldens.MaxDifference(input.Run(64, coarse: false), input.Run(64, coarse: false, stretch: 64)) <= 2e-6);
    }

    [Fact]
    public void Run_Stopped_LeavesTheRest()
    {
        Assert.SkipUnless(AttentionKernel.IsSupported, "The processor has no 512-bit instructions; graphs use the runtime's own operators here.");
        Assert.All(new Input(64, 64, rotated: false).Run(0, coarse: false, stop: -1), value => Assert.Equal(0f, value));
    }

    /// <summary>Random queries, keys, values and factors of one text that begins at the second token.</summary>
    private sealed class Input
    {
        private readonly int _length, _size, _hidden;
        private readonly float[]? _cos, _sin;

        public Input(int length, int headSize, bool rotated)
        {
            (_length, _size, _hidden) = (length, headSize, Heads * headSize);
            Random random = new(length + headSize);
            float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
            (Q, K, V, Scale) = (Floats((length + 1) * _hidden), Floats((length + 1) * _hidden), Floats((length + 1) * _hidden), Floats(length + 1));
            if (rotated)
            {
                float[] angles = Floats(length * headSize / 2);
                (_cos, _sin) = ([.. angles.Select(MathF.Cos)], [.. angles.Select(MathF.Sin)]);
            }
        }

        public int Hidden => _hidden;

        public float[] Q { get; }

        public float[] K { get; }

        public float[] V { get; }

        public float[] Scale { get; }

        public float[] Run(int halfWindow, bool coarse, int? stretch = null, long stop = 1)
        {
            float[] result = new float[_length * _hidden];
            float[] whole = new float[(_length + 1) * _hidden];
            fixed (float* q = Q, k = K, v = V, scale = Scale, cos = _cos, sin = _sin, to = whole)
            {
                AttentionKernel.Layer layer = new((nint)q, (nint)k, (nint)v, (nint)scale, (nint)cos, (nint)sin, (nint)to, _hidden, _size, halfWindow, coarse, (nint)(&stop));
                for (int head = 0; head < Heads; head++)
                {
                    for (int from = 0; from < _length; from += stretch ?? _length)
                    {
                        AttentionKernel.Run(layer, 1, _length, head, from, Math.Min(_length, from + (stretch ?? _length)));
                    }
                }
            }

            Assert.All(whole[.._hidden], value => Assert.Equal(0f, value));   // the token before the text is another text's
            whole.AsSpan(_hidden).CopyTo(result);
            return result;
        }

        public float[] Plain(int halfWindow)
        {
            float[] result = new float[_length * _hidden];
            for (int head = 0; head < Heads; head++)
            {
                double[][] q = Rows(Q, head, rotate: true), k = Rows(K, head, rotate: true), v = Rows(V, head, rotate: false);
                for (int i = 0; i < _length; i++)
                {
                    int first = halfWindow == 0 ? 0 : Math.Max(0, i - halfWindow), last = halfWindow == 0 ? _length - 1 : Math.Min(_length - 1, i + halfWindow);
                    double[] scores = [.. Enumerable.Range(first, last - first + 1).Select(j => q[i].Zip(k[j], (a, b) => a * b).Sum() / Math.Sqrt(_size))];
                    double most = scores.Max(), sum = scores.Sum(score => Math.Exp(score - most));
                    for (int d = 0; d < _size; d++)
                    {
                        result[(i * _hidden) + (head * _size) + d] = (float)(scores.Select((score, j) => Math.Exp(score - most) * v[first + j][d]).Sum() / sum);
                    }
                }
            }

            return result;
        }

        private double[][] Rows(float[] tensor, int head, bool rotate) => [.. Enumerable.Range(0, _length).Select(i =>
        {
            double[] row = [.. Enumerable.Range(0, _size).Select(d => (double)tensor[((i + 1) * _hidden) + (head * _size) + d] * Scale[i + 1])];
            if (!rotate || _cos is null)
            {
                return row;
            }

            int half = _size / 2;
            return [.. Enumerable.Range(0, _size).Select(d => d < half
                ? (row[d] * _cos[(i * half) + d]) - (row[half + d] * _sin![(i * half) + d])
                : (row[d] * _cos[(i * half) + d - half]) + (row[d - half] * _sin![(i * half) + d - half]))];
        })];
    }
}
