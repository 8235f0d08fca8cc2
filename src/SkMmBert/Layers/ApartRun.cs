using System.Runtime.ExceptionServices;

namespace SkMmBert;

/// <summary>A long run on a thread of its own, so that its caller can leave it.</summary>
/// <remarks>
/// The runtime looks for a cancellation between operators, and attention over a long text is one operator of a second or more.
/// A caller that cancels does not wait for its end; the run that was left frees everything it held.
/// </remarks>
internal sealed class ApartRun
{
    private const int UnderWay = 0, Ended = 1, Left = 2;
    private readonly ManualResetEventSlim _end = new();
    private LayerState? _state;
    private ExceptionDispatchInfo? _error;
    private int _stage = UnderWay;

    private ApartRun()
    {
    }

    /// <summary>Runs and waits for the end or the cancellation, whichever is first.</summary>
    public static LayerState Wait(Func<LayerState> run, CancellationToken cancellationToken)
    {
        ApartRun apart = new();
        new Thread(() => apart.Run(run)) { IsBackground = true, Name = "SkMmBert long run" }.Start();
        try
        {
            apart._end.Wait(cancellationToken);
        }
        catch (OperationCanceledException) when (Interlocked.CompareExchange(ref apart._stage, Left, UnderWay) == UnderWay)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            // It ended in the same moment: what it gave is given.
        }

        apart._error?.Throw();
        return apart._state!;
    }

    private void Run(Func<LayerState> run)
    {
        try
        {
            _state = run();
        }
        catch (Exception error)
        {
            _error = ExceptionDispatchInfo.Capture(error);
        }

        if (Interlocked.CompareExchange(ref _stage, Ended, UnderWay) == Left)
        {
            _state?.Dispose();
        }

        _end.Set();
    }
}
