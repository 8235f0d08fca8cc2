using BenchmarkDotNet.Attributes;

namespace SkMmBert.MicroBenchmarks;

/// <summary>What surrounds the graph: shapes of a batch, pooling, and planning.</summary>
[MemoryDiagnoser]
public class EncoderBenchmarks
{
    private readonly float[] _hidden = new float[512 * 768], _result = new float[512 * 768], _norm = new float[768], _pooled = new float[768];
    private readonly int[] _lengths = new int[10_000];

    [GlobalSetup]
    public void Fill()
    {
        Random random = new(1);
        for (int i = 0; i < _hidden.Length; i++)
        {
            _hidden[i] = random.NextSingle() - 0.5f;
        }

        Array.Fill(_norm, 1f);
        for (int i = 0; i < _lengths.Length; i++)
        {
            _lengths[i] = random.Next(2, 600);
        }
    }

    [Benchmark(Description = "final norm and mean pooling of 512 tokens of 768")]
    public float Pooling()
    {
        StatePooling.Pool(_hidden, [512], ModelPooling.Mean, _norm, 1e-5f, _pooled);
        return _pooled[0];
    }

    [Benchmark(Description = "window blocks of a text of 2,048 tokens")]
    public int Shape() => new BatchShape([2_048], 768, 64).Slices;

    [Benchmark(Description = "own attention, 512 tokens, one head, whole text")]
    public float WholeAttention() => Attention(0);

    [Benchmark(Description = "own attention, 512 tokens, one head, windows")]
    public float WindowAttention() => Attention(64);

    [Benchmark(Description = "batches of 10,000 texts")]
    public int Planning() => BatchPlanner.Plan(_lengths, 1_024, packs: true).Count;

    private unsafe float Attention(int halfWindow)
    {
        long going = 1;
        fixed (float* states = _hidden, result = _result)
        {
            AttentionKernel.Run(new((nint)states, (nint)states, (nint)states, 0, 0, 0, (nint)result, 768, 64, halfWindow, false, (nint)(&going)), 0, 512, 0, 0, 512);
        }

        return _result[0];
    }
}
