namespace SkMmBert;

/// <summary>Adds up the bytes of all files and tells speed and time left.</summary>
internal sealed class PullMeter(long totalBytes, TimeProvider clock, IProgress<PullProgress>? progress)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Queue<(long Time, long Arrived)> _samples = new();
    private long _bytes;
    private long _arrived;
    private long? _lastReport;

    /// <summary>Bytes came from the network; negative when they have to come again.</summary>
    public void Moved(string file, long bytes)
    {
        lock (_lock)
        {
            _bytes += bytes;
            _arrived += Math.Max(0, bytes);
            long now = clock.GetTimestamp();
            if (_lastReport is { } last && clock.GetElapsedTime(last, now) < ReportEvery) return;
            _samples.Enqueue((now, _arrived));
            while (_samples.Count > 2 && clock.GetElapsedTime(_samples.Peek().Time, now) > Window) _samples.Dequeue();
            Report(file, PullState.Downloading, now);
        }
    }

    /// <summary>Bytes that were on disk already: they count, but not as speed.</summary>
    public void Found(string file, long bytes)
    {
        lock (_lock)
        {
            _bytes += bytes;
            Report(file, PullState.Downloading, clock.GetTimestamp());
        }
    }

    public void Tell(string file, PullState state)
    {
        lock (_lock) Report(file, state, clock.GetTimestamp());
    }

    private void Report(string file, PullState state, long now)
    {
        _lastReport = now;
        if (progress is null) return;
        double speed = 0;
        if (_samples.TryPeek(out (long Time, long Arrived) first) && clock.GetElapsedTime(first.Time, now) is { Ticks: > 0 } time)
            speed = (_arrived - first.Arrived) / time.TotalSeconds;
        TimeSpan? remaining = state == PullState.Done ? TimeSpan.Zero : speed > 0 ? TimeSpan.FromSeconds(Math.Min((totalBytes - _bytes) / speed, 1e7)) : null;
        progress.Report(new PullProgress(file, state, _bytes, totalBytes, speed, remaining));
    }
}
