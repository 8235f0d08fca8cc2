namespace SkMmBert;

/// <summary>How long runs took lately, so that one that would end too late is not begun. Thread-safe.</summary>
internal sealed class RerankPace
{
    private const double Newest = 0.25, Deviations = 2, Kept = 0.98;

    private readonly Lock _lock = new();
    private readonly Dictionary<(int From, int To), (double Mean, double Deviation, bool First)> _perToken = [];

    /// <summary>A time that most runs of a stretch keep within; by the quickest other stretch where it was never run, zero where none was.</summary>
    public TimeSpan Expected(int from, int to, int tokens)
    {
        lock (_lock)
        {
            double perToken = _perToken.TryGetValue((from, to), out (double Mean, double Deviation, bool) own) ? own.Mean + (Deviations * own.Deviation)
                : _perToken.Count == 0 ? 0 : (to - from) * _perToken.Min(other => other.Value.Mean / (other.Key.To - other.Key.From));
            return TimeSpan.FromMilliseconds(perToken * tokens);
        }
    }

    /// <summary>Learns from a run that ended. The first of a stretch opened its session and counts only until the second.</summary>
    public void Took(int from, int to, int tokens, TimeSpan time)
    {
        double own = time.TotalMilliseconds / Math.Max(1, tokens);
        lock (_lock)
        {
            bool known = _perToken.TryGetValue((from, to), out (double Mean, double Deviation, bool First) old);
            _perToken[(from, to)] = known && !old.First
                ? (old.Mean + (Newest * (own - old.Mean)), old.Deviation + (Newest * (Math.Abs(own - old.Mean) - old.Deviation)), false)
                : (own, own / 4, !known);
        }
    }

    /// <summary>Learns from a run that was broken off: it would have taken longer than this.</summary>
    public void TookMore(int from, int to, int tokens, TimeSpan time)
    {
        lock (_lock)
        {
            if (_perToken.TryGetValue((from, to), out (double Mean, double Deviation, bool First) old))
            {
                _perToken[(from, to)] = old with { Mean = Math.Max(old.Mean, time.TotalMilliseconds / Math.Max(1, tokens)) };
            }
        }
    }

    /// <summary>Believes a little less in what is known, so that a machine that was slow once is tried again.</summary>
    public void Doubt()
    {
        lock (_lock)
        {
            foreach ((int, int) stretch in _perToken.Keys.ToArray())
            {
                (double mean, double deviation, bool first) = _perToken[stretch];
                _perToken[stretch] = (Kept * mean, Kept * deviation, first);
            }
        }
    }
}
