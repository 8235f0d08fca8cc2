using System.Runtime.ExceptionServices;

namespace SkMmBert;

/// <summary>A run on a thread of its own that its caller can leave at once.</summary>
/// <remarks>
/// The runtime looks for a cancellation between operators, and attention over a long text is one operator of a second or more.
/// A caller that cancels does not wait for its end; the run frees what it held when it gets there.
/// </remarks>
internal sealed class RunApart
{
    private readonly ManualResetEventSlim _ended = new();
    private readonly Lock _handing = new();
    private LayerState? _state;
    private ExceptionDispatchInfo? _error;
    private bool _left;

    public static LayerState Run(Func<LayerState> run, CancellationToken cancellationToken)
    {
        RunApart apart = new();
        new Thread(() => apart.Work(run)) { IsBackground = true, Name = "SkMmBert run" }.Start();
        try
        {
            apart._ended.Wait(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            apart.Leave();
            throw;
        }

        apart._error?.Throw();
        return apart._state!;
    }

    private void Work(Func<LayerState> run)
    {
        LayerState? state = null;
        try
        {
            state = run();
        }
        catch (Exception error)
        {
            _error = ExceptionDispatchInfo.Capture(error);   // thrown where the caller waits
        }

        lock (_handing)
        {
            _state = state;
            if (_left)
            {
                state?.Dispose();
            }
        }

        _ended.Set();
    }

    private void Leave()
    {
        lock (_handing)
        {
            _left = true;
            _state?.Dispose();
        }
    }
}
