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
        Assert.Equal(TimeSpan.Zero, pace.Expected(3, 6, 100));
        for (int i = 0; i < 30; i++)
        {
            pace.Took(0, 3, 10, TimeSpan.FromMilliseconds(40));
        }

        Assert.InRange(pace.Expected(0, 3, 100).TotalMilliseconds, 395, 410);
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
        using RerankRun run = new(_model, ScoreHeads.Read(_model.Manifest.Folder, _model.Config), RerankNorm.Of(_model.Config, null), Texts.Length, 256);
        Stopwatch watch = Stopwatch.StartNew();
        new RerankDeadline(run, new RerankPairs(_model.Tokenizer, Query, Texts, 64, LongTextHandling.Cut), 1, 6, 0.4f)
        {
            Pace = pace,
            Left = () => TimeSpan.FromSeconds(50) - watch.Elapsed,
        }.Work(streams, TestContext.Current.CancellationToken);
        return run;
    }
}
