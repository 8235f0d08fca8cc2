namespace SkMmBert;

/// <summary>Cancels an attempt when no byte has come for a while.</summary>
internal sealed class StallTimer : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public StallTimer(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _timer = new CancellationTokenSource(timeout, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellationToken);
    }

    public CancellationToken Token => _either.Token;

    public bool HasStalled => _timer.IsCancellationRequested;

    public void Restart() => _timer.CancelAfter(_timeout);

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
