namespace SkMmBert.Cli;

/// <summary>How far a benchmark is, how much of its time a case may take, and what there is no time for, by the tokens it runs and the pace so far.</summary>
internal sealed class BenchSteps(BenchPlan plan, ProgressLine progress)
{
    /// <summary>Time of one measurement of streams.</summary>
    public static readonly TimeSpan StreamTime = TimeSpan.FromSeconds(1);

    // A text of few tokens still costs a run; short texts have 34 on average.
    private const int LeastTokens = 64, ShortTokens = 34, LeastTexts = 8;

    private readonly TimeSpan _streams = StreamTime * (plan.Streams.Count * plan.Precisions.Count);
    private readonly List<string> _leftOut = [];
    private double _all = plan.Lengths.Sum(tokens => (double)Cost(tokens, (2 * plan.Exits(tokens).Count * plan.Precisions.Count) + 1)) + Cost(plan.ShortTexts * ShortTokens, plan.Precisions.Count + 1);
    private double _done;
    private TimeSpan _pace;   // of a token of a run, as the last case had it

    /// <summary>Cases that were not measured because they would have ended too late.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>Whether a case of so many tokens and runs a round ends in time at the pace of the last one; one that does not is noted.</summary>
    public bool Fits(string name, int tokens, int runs)
    {
        bool fits = HasTime(name, Expected(tokens, runs));
        _all -= fits ? 0 : Cost(tokens, runs);
        return fits;
    }

    /// <summary>How many of the short texts of a plan there is time for: all, or a half, a quarter and so on of them, and not fewer than make a batch; the others are noted.</summary>
    public int ShortTexts(int runs)
    {
        int count = plan.ShortTexts;
        while (count >= 2 * LeastTexts && plan.Left is not null && Expected(count * ShortTokens, runs) >= plan.Left())
        {
            count /= 2;
        }

        if (count < plan.ShortTexts)
        {
            _leftOut.Add($"{plan.ShortTexts - count} of {plan.ShortTexts} short texts");
        }

        return count;
    }

    /// <summary>Whether so much time is left for a case; one that has it not is noted.</summary>
    public bool HasTime(string name, TimeSpan time)
    {
        if (plan.Left is null || time < plan.Left())
        {
            return true;
        }

        _leftOut.Add(name);
        return false;
    }

    /// <summary>How long a case of so many tokens and runs a round may go on beginning further rounds: its part of what is left, without the streams at the end.</summary>
    public TimeSpan Share(int tokens, int runs) => plan.Left is null ? TimeSpan.MaxValue : (plan.Left() - _streams) * (Cost(tokens, runs) / Math.Max(1, _all - _done));

    /// <summary>Notes a case that was measured, and its pace.</summary>
    /// <param name="tokens">Tokens of the case.</param>
    /// <param name="runs">Its runs a round.</param>
    /// <param name="time">Of a round, on the clock.</param>
    public void Done(int tokens, int runs, TimeSpan time)
    {
        _pace = time / Cost(tokens, runs);
        _done = Math.Min(_all, _done + Cost(tokens, runs));
        progress.Report((long)_done, _done / _all);
    }

    private TimeSpan Expected(int tokens, int runs) => _pace * Cost(tokens, runs);

    private static long Cost(int tokens, int runs) => (long)Math.Max(tokens, LeastTokens) * runs;
}
