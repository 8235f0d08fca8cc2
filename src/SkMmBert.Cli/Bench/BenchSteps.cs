namespace SkMmBert.Cli;

/// <summary>How far a benchmark is and how much of its time a case may take, by the tokens it runs.</summary>
internal sealed class BenchSteps(BenchPlan plan, ProgressLine progress)
{
    /// <summary>Time of one measurement of streams.</summary>
    public static readonly TimeSpan StreamTime = TimeSpan.FromSeconds(1);

    // A text of few tokens still costs a run; short texts have 34 on average.
    private const int LeastTokens = 64, ShortTokens = 34;

    private readonly double _all = plan.Lengths.Sum(tokens => (double)Cost(tokens, (2 * plan.Exits(tokens).Count * plan.Precisions.Count) + 1)) + Cost(plan.ShortTexts * ShortTokens, plan.Precisions.Count + 1);
    private double _done;

    /// <summary>How long a case of so many tokens and runs a round may go on beginning further rounds.</summary>
    public TimeSpan Share(int tokens, int runs) => plan.Limit == TimeSpan.MaxValue ? plan.Limit : plan.Limit * (Cost(tokens, runs) / _all);

    public void Done(int tokens, int runs)
    {
        _done = Math.Min(_all, _done + Cost(tokens, runs));
        progress.Report((long)(100 * _done / _all), _done / _all);
    }

    private static long Cost(int tokens, int runs) => (long)Math.Max(tokens, LeastTokens) * runs;
}
