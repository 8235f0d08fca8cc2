using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class BenchStepsTests
{
    private TimeSpan _left = TimeSpan.FromSeconds(50);

    [Fact]
    public void Fits_SlowPace_LeavesOutWhatWouldEndTooLateAndSaysSo()
    {
        BenchSteps steps = Steps(() => _left);
        Assert.True(steps.Fits("64 tokens", 64, 3));                  // nothing is known yet
        steps.Done(64, 3, TimeSpan.FromSeconds(6));                     // 2 s a run of 64 tokens
        Assert.True(steps.Fits("128 tokens", 128, 3));                 // 12 s
        _left = TimeSpan.FromSeconds(20);
        Assert.False(steps.Fits("512 tokens", 512, 3));                // 48 s
        Assert.False(steps.HasTime("the plain export", _left));
        Assert.True(steps.HasTime("2 streams", BenchSteps.StreamTime));
        Assert.Equal(["512 tokens", "the plain export"], steps.LeftOut);
    }

    [Fact]
    public void Share_WhatIsLeft_IsDividedAmongTheCasesThatAreToCome()
    {
        BenchSteps steps = Steps(() => _left);
        TimeSpan first = steps.Share(64, 3);
        Assert.Equal(steps.Share(512, 3).TotalSeconds, first.TotalSeconds * 8, 3);
        _left = TimeSpan.FromSeconds(20);
        steps.Done(512, 3, TimeSpan.FromSeconds(30));
        TimeSpan later = steps.Share(64, 3);
        Assert.InRange(later, TimeSpan.Zero, _left);
        _left = TimeSpan.FromSeconds(-3);
        Assert.True(steps.Share(64, 3) < TimeSpan.Zero);
    }

    [Theory]
    [InlineData(50, 64)]
    [InlineData(5, 16)]
    [InlineData(1, 8)]
    public void ShortTexts_LittleTime_AreFewer(int seconds, int expected)
    {
        BenchSteps steps = Steps(() => TimeSpan.FromSeconds(seconds));
        steps.Done(340, 1, TimeSpan.FromSeconds(1));
        Assert.Equal(expected, steps.ShortTexts(3));                      // 0.3 s a text
        Assert.Equal(expected < 64 ? [$"{64 - expected} of 64 short texts"] : [], steps.LeftOut);
    }

    [Fact]
    public void Steps_NoLimit_LeaveNothingOut()
    {
        BenchSteps steps = Steps(null);
        steps.Done(64, 3, TimeSpan.FromHours(1));
        Assert.True(steps.Fits("512 tokens", 512, 3));
        Assert.Equal(TimeSpan.MaxValue, steps.Share(512, 3));
        Assert.Empty(steps.LeftOut);
    }

    private static BenchSteps Steps(Func<TimeSpan>? left)
    {
        BenchPlan plan = new([64, 128, 512], _ => [22], [ModelPrecision.Fp32, ModelPrecision.Int8], 64, [1, 2], left);
        return new(plan, new ProgressLine(new Terminal(Stream.Null, Stream.Null, TextWriter.Null, false), "tokens"));
    }
}
