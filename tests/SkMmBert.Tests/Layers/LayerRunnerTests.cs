using Xunit;

namespace SkMmBert.Tests;

/// <summary>How many threads a run gets: one for texts in parallel streams, all processors for a long text that runs alone.</summary>
public sealed class LayerRunnerTests
{
    private const int Long = 2_000, Short = 100;

    [Theory]
    [InlineData(Short, null, 1)]
    [InlineData(Long, null, 0)]     // 0: all processors
    [InlineData(Short, 3, 3)]
    [InlineData(Long, 3, 3)]
    public void Run_Alone_ThreadsAreTheRule(int tokens, int? asked, int expected)
    {
        using Recorder runner = new(asked);
        runner.Run(TokenBatch.Of(new int[tokens]), 1, default).Dispose();
        Assert.Equal([expected == 0 ? Environment.ProcessorCount : expected], runner.Threads);
    }

    [Fact]
    public void Run_LongTextBesideAnother_GetsOneThread()
    {
        using Recorder runner = new(null);
        runner.Beside = () => runner.Run(TokenBatch.Of(new int[Long]), 1, default).Dispose();
        runner.Run(TokenBatch.Of(new int[Short]), 1, default).Dispose();
        Assert.Equal([1, 1], runner.Threads);
        runner.Run(TokenBatch.Of(new int[Long]), 1, default).Dispose();
        Assert.Equal(Environment.ProcessorCount, runner.Threads[^1]);
    }

    private sealed class Recorder(int? threads) : LayerRunner("folder", 1, threads)
    {
        public List<int> Threads { get; } = [];

        public Action? Beside { get; set; }

        public override LayerState Select(LayerState state, ReadOnlySpan<int> rows) => throw new NotSupportedException();

        protected override LayerState Run(TokenBatch batch, int exit, int threads, CancellationToken cancellationToken)
        {
            Threads.Add(threads);
            Action? beside = Beside;
            Beside = null;
            beside?.Invoke();
            return new Empty();
        }

        protected override LayerState Continue(LayerState state, int exit, int threads, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void Free()
        {
        }
    }

    private sealed class Empty : LayerState
    {
        public override int Exit => 1;

        public override int[] Lengths => [];

        public override ReadOnlySpan<float> Hidden => default;

        protected override void Free()
        {
        }
    }
}
