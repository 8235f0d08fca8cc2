using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankDeadlineTests : IDisposable
{
    private const string Query = "What is the weather in Paris?";

    private static readonly string[] Texts = [.. Enumerable.Range(0, 12).Select(i => $"get_weather_{i}: Get the current weather for a city")];

    private readonly MmBertModel _model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Expected_Pace_FollowsWhatRunsTook()
    {
        RerankPace pace = new();
        Assert.Equal(TimeSpan.Zero, pace.Expected(0, 3, 100));
        pace.Took(0, 3, 10, TimeSpan.FromMilliseconds(10));
        Assert.InRange(pace.Expected(0, 3, 100).TotalMilliseconds, 100, 200);
        Assert.Equal(200, pace.Expected(3, 9, 100).TotalMilliseconds, 1e-6);   // twice the layers of the only stretch that was run
        for (int i = 0; i < 30; i++)
        {
            pace.Took(0, 3, 10, TimeSpan.FromMilliseconds(40));
        }

        Assert.InRange(pace.Expected(0, 3, 100).TotalMilliseconds, 395, 410);
    }

    [Fact]
    public void Expected_FirstRunOpenedTheSession_TheSecondCounts()
    {
        RerankPace pace = new();
        pace.Took(0, 3, 10, TimeSpan.FromSeconds(2));
        pace.Took(0, 3, 10, TimeSpan.FromMilliseconds(10));
        Assert.InRange(pace.Expected(0, 3, 100).TotalMilliseconds, 100, 200);
    }

    [Fact]
    public async Task Score_OneSlowRun_IsTriedAgain()
    {
        // A clock that jumps an hour between two readings makes the first call's runs look endless.
        JumpingClock clock = new() { Jump = TimeSpan.FromHours(1) };
        using MmBertReranker reranker = new(_model);
        RerankOptions options = new() { Clock = clock };
        await reranker.ScoreAsync(Query, Texts[..1], options, TestContext.Current.CancellationToken);
        clock.Jump = TimeSpan.Zero;
        RerankOptions hurried = options with { Effort = RerankEffort.Deadline(TimeSpan.FromMinutes(1)) };
        Assert.False((await reranker.ScoreAsync(Query, Texts[..1], hurried, TestContext.Current.CancellationToken))[0].IsScored);
        int calls = 0;
        while (!(await reranker.ScoreAsync(Query, Texts[..1], hurried, TestContext.Current.CancellationToken))[0].IsScored)
        {
            Assert.True(++calls < 1_000, "It never tried again.");
        }
    }

    private sealed class JumpingClock : TimeProvider
    {
        private long _now;

        public TimeSpan Jump { get; set; }

        public override long GetTimestamp() => _now += (long)(Jump.TotalSeconds * TimestampFrequency);
    }

    [Fact]
    public void Work_RunsThatWouldEndTooLate_AreNotBegun()
    {
        RerankPace pace = new();
        pace.Took(0, 1, 1, TimeSpan.FromMinutes(1));
        Assert.All(Work(pace, 1).Exits, exit => Assert.Equal(0, exit));
    }

    [Fact]
    public void Work_OnlyTheLastLayersTooSlow_EverythingIsScoredEarly()
    {
        RerankPace pace = new();
        pace.Took(0, 1, 1, TimeSpan.FromTicks(1));
        pace.Took(1, 6, 1, TimeSpan.FromMinutes(1));
        Assert.All(Work(pace, 2).Exits, exit => Assert.Equal(1, exit));
    }

    [Fact]
    public void Work_TimeForAll_EverythingReachesTheLastExit() => Assert.All(Work(new RerankPace(), 2).Exits, exit => Assert.Equal(6, exit));

    [Fact]
    public async Task Score_PaceTooSlowForTheBudget_ReturnsAtOnceWithoutScores()
    {
        using MmBertReranker reranker = new(_model);
        RerankOptions options = new() { Effort = RerankEffort.Deadline(TimeSpan.FromMinutes(1)), RawScores = true };
        Assert.All(await reranker.ScoreAsync(Query, Texts, options, TestContext.Current.CancellationToken), score => Assert.Equal(6, score.Exit));
        RerankScore[] scores = await reranker.ScoreAsync(Query, Texts, options with { Effort = RerankEffort.Deadline(TimeSpan.FromTicks(10)) }, TestContext.Current.CancellationToken);
        Assert.All(scores, score => Assert.False(score.IsScored));
    }

    private RerankRun Work(RerankPace pace, int streams)
    {
        using RerankRun run = new(_model, ScoreHeads.Read(_model.Manifest.Folder, _model.Config), RerankNorm.Of(_model.Config, null), Texts.Length, 256) { Pace = pace };
        Stopwatch watch = Stopwatch.StartNew();
        new RerankDeadline(run, new RerankPairs(_model.Tokenizer, Query, Texts, 64, LongTextHandling.Cut), 1, 6, 0.4f)
        {
            Left = () => TimeSpan.FromSeconds(50) - watch.Elapsed,
        }.Work(streams, TestContext.Current.CancellationToken);
        return run;
    }
}
