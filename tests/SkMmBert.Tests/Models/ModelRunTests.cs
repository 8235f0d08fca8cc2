using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Runs under way: cancelled, many at once, through a model that is closed, a thousand in a row.</summary>
[Collection("Alone")]
public sealed class ModelRunTests
{
    [Theory]
    [InlineData(ModelPrecision.Fp32)]
    [InlineData(ModelPrecision.Int8)]
    public async Task Run_CancelledInsideALongRun_EndsWithin200Milliseconds(ModelPrecision precision)
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options with { Precision = precision });
        TokenBatch text = TokenBatch.Of(Ids(8_000));
        model.Run(text, 6, default).Dispose();   // sessions are open from here on
        List<double> waits = [], goesOn = [];
        for (int attempt = 0; attempt < 12 && (attempt < 6 || waits.Min() > 0.2); attempt++)
        {
            using CancellationTokenSource source = new();
            Task run = Task.Run(() => model.Run(text, 6, source.Token).Dispose(), TestContext.Current.CancellationToken);
            await Task.Delay(50 + (attempt * 60), TestContext.Current.CancellationToken);
            if (run.IsCompleted)
            {
                continue;
            }

            long start = Stopwatch.GetTimestamp();
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
            waits.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            await Task.Delay(500, TestContext.Current.CancellationToken);
            TimeSpan left = Environment.CpuUsage.TotalTime;
            await Task.Delay(200, TestContext.Current.CancellationToken);
            goesOn.Add((Environment.CpuUsage.TotalTime - left).TotalSeconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(' ', waits.Select(wait => $"{wait * 1000:0}")) + " ms");
        Assert.NotEmpty(waits);
        Assert.True(waits.Order().ElementAt(waits.Count / 2) <= 0.2, $"{string.Join(' ', waits.Select(wait => $"{wait:0.000}"))} s");
        Assert.True(goesOn.Order().ElementAt(goesOn.Count / 2) <= 0.1, $"the runs that were left still took {string.Join(' ', goesOn.Select(time => $"{time:0.000}"))} s of 0.2 s");
    }

    [Fact]
    public void Run_CancelledBefore_DoesNotRun()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        Assert.ThrowsAny<OperationCanceledException>(() => model.Run(TokenBatch.Of([2, 5, 1]), 7, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task Dispose_StateOfACancelledContinuation_LeavesItsMemoryToTheRun()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options);
        for (int attempt = 0; attempt < 5; attempt++)
        {
            using CancellationTokenSource source = new();
            LayerState early = model.Run(TokenBatch.Of(Ids(3_000)), 1, default);
            Task run = Task.Run(() => model.Continue(early, 6, source.Token).Dispose(), TestContext.Current.CancellationToken);
            await Task.Delay(20 * attempt, TestContext.Current.CancellationToken);
            await source.CancelAsync();
            Exception? error = await Record.ExceptionAsync(() => run);
            Assert.True(error is null or OperationCanceledException, error?.ToString());
            early.Dispose();
        }

        using LayerState after = model.Run(TokenBatch.Of(Ids(100)), 6, default);
        Assert.True(float.IsFinite(after.Hidden[0]));
    }

    [Fact]
    public void Run_ManyThreadsOnOneModel_VectorsAreIdentical()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        int[][] texts = Goldens.Texts("tiny-modernbert");
        float[][] alone = [.. texts.Select(text => Pool(model, text))];
        Parallel.For(0, 8 * texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            int text = i * 7 % texts.Length;
            Assert.Equal(alone[text], Pool(model, texts[text]));
        });
    }

    [Fact]
    public void Run_ClosedModel_IsRefused()
    {
        MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        using LayerState state = model.Run(TokenBatch.Of([2, 5, 1]), 3, default);
        model.Dispose();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Run(TokenBatch.Of([2, 5, 1]), 7, default));
        Assert.Throws<ObjectDisposedException>(() => model.Continue(state, 7, default));
        Assert.True(float.IsFinite(state.Hidden[0]));
    }

    [Fact]
    public async Task Dispose_WhileRunsAreUnderWay_TheyEndAsIfItWereNot()
    {
        int[][] texts = Goldens.Texts("tiny-modernbert");
        float[] expected;
        using (MmBertModel reference = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options))
        {
            expected = Pool(reference, texts[28]);
        }

        for (int attempt = 0; attempt < 5; attempt++)
        {
            MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
            Task<int>[] runs = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                for (int done = 0; ; done++)
                {
                    try
                    {
                        Assert.Equal(expected, Pool(model, texts[28]));
                    }
                    catch (ObjectDisposedException)
                    {
                        return done;
                    }
                }
            }, TestContext.Current.CancellationToken))];
            await Task.Delay(100, TestContext.Current.CancellationToken);
            model.Dispose();
            await Task.WhenAll(runs);
        }
    }

    [Fact]
    public void Run_AThousandTimes_MemoryStaysWhereItIs()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/status.");
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        int[][] texts = Goldens.Texts("tiny-modernbert");
        Runs(300);
        long before = Anonymous();
        Runs(1_000);
        long grown = Anonymous() - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{grown / 1024.0:0.0} MB");
        Assert.True(grown < 24 * 1024, $"{grown:N0} KiB more after 1,000 runs");

        void Runs(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Pool(model, texts[i % texts.Length]);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }

        static long Anonymous() => long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static float[] Pool(MmBertModel model, int[] text)
    {
        using LayerState state = model.Run(TokenBatch.Of(text), model.Manifest.Layers, default);
        float[] pooled = new float[model.Manifest.HiddenSize];
        model.Pool(state, true, pooled);
        return pooled;
    }

    private static int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(i => i == 0 ? 2 : i == length - 1 ? 1 : 300 + (i * 7 % 5_000))];
}
