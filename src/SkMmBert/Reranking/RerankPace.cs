namespace SkMmBert;

/// <summary>How long runs took lately, so that one that would end too late is not begun. Thread-safe.</summary>
internal sealed class RerankPace
{
    private const double Newest = 0.25, Deviations = 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<(int From, int To), (double Mean, double Deviation)> _perToken = [];

    /// <summary>A time that most runs of a stretch keep within; zero where none was seen.</summary>
    public TimeSpan Expected(int from, int to, int tokens)
    {
        lock (_lock)
        {
            (double mean, double deviation) = _perToken.GetValueOrDefault((from, to));
            return TimeSpan.FromMilliseconds((mean + (Deviations * deviation)) * tokens);
        }
    }

    /// <summary>Learns from a run that ended.</summary>
    public void Took(int from, int to, int tokens, TimeSpan time)
    {
        double own = time.TotalMilliseconds / Math.Max(1, tokens);
        lock (_lock)
        {
            _perToken[(from, to)] = _perToken.TryGetValue((from, to), out (double Mean, double Deviation) old)
                ? (old.Mean + (Newest * (own - old.Mean)), old.Deviation + (Newest * (Math.Abs(own - old.Mean) - old.Deviation)))
                : (own, own / 4);
        }
    }
}
