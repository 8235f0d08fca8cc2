namespace SkMmBert;

/// <summary>Scores as much as a time allows: texts at an early stop in first-stage order, the best of those at the last exit, whatever comes first to the better order.</summary>
/// <remarks>
/// Works on threads of its own, so that timers are served while every processor computes. A run that by the pace of late would end too late is not begun, so that
/// the processors are free when time is up; one that takes longer than expected is broken off.
/// </remarks>
internal sealed class RerankDeadline
{
    private readonly RerankRun _run;
    private readonly RerankPairs _pairs;
    private readonly RerankUnit[]?[] _units;
    private readonly int _earlyExit, _lastExit;
    private readonly float _share;
    private readonly Lock _lock = new();
    private readonly List<(int Text, LayerState State)> _waiting = [];
    private int _next, _busy, _finished;

    /// <summary>The time that is left.</summary>
    public required Func<TimeSpan> Left { get; init; }

    /// <param name="run">Where states are run and scores are kept.</param>
    /// <param name="pairs">Texts in first-stage order; encoded when their turn comes.</param>
    /// <param name="earlyExit">The stop texts are scored at first.</param>
    /// <param name="lastExit">The exit the best of them carry on to.</param>
    /// <param name="share">Share of the texts scored early that carries on before more are scored early.</param>
    public RerankDeadline(RerankRun run, RerankPairs pairs, int earlyExit, int lastExit, float share)
    {
        (_run, _pairs, _earlyExit, _lastExit, _share) = (run, pairs, earlyExit, lastExit, share);
        _units = new RerankUnit[]?[pairs.Count];
    }

    /// <summary>Works until everything is scored at the last exit or the token is cancelled.</summary>
    public void Work(int streams, CancellationToken stop)
    {
        Thread[] threads = [.. Enumerable.Range(1, streams - 1).Select(_ => new Thread(() => Guard(stop)) { IsBackground = true, Name = "rerank" })];
        Array.ForEach(threads, thread => thread.Start());
        Guard(stop);
        Array.ForEach(threads, thread => thread.Join());
        lock (_lock)
        {
            _waiting.ForEach(waiting => waiting.State.Dispose());
            _waiting.Clear();
        }

        if (!_run.Exits.Contains(_lastExit))
        {
            _run.Pace.Doubt();   // nothing came to the end, so nothing taught how long that takes now
        }

        if (Failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(Failure);
        }
    }

    private Exception? Failure { get; set; }

    private void Guard(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && Failure is null && Step(stop))
            {
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Failure = error;
        }
    }

    // Returns false when nothing is left to do.
    private bool Step(CancellationToken stop)
    {
        if (Left() <= TimeSpan.Zero)
        {
            return false;
        }

        int text;
        LayerState? state = null;
        lock (_lock)
        {
            bool more = _next < _units.Length;
            int best = _waiting.Count > 0 && (!more || _finished < _share * _next) ? BestThatFits() : -1;
            if (best >= 0)
            {
                (text, state) = _waiting[best];
                _waiting.RemoveAt(best);
                _finished++;
            }
            else if (more)
            {
                text = _next++;
            }
            else if (_busy > 0)
            {
                // Another stream is about to bring a state that can carry on.
                text = -1;
            }
            else
            {
                return false;
            }

            _busy += text < 0 ? 0 : 1;
        }

        if (text < 0)
        {
            stop.WaitHandle.WaitOne(1);
            return true;
        }

        try
        {
            if (state is null)
            {
                RerankUnit[] units = _units[text] = _pairs.Encode(text);
                int tokens = units.Sum(unit => unit.Ids.Length);
                if (!Fits(0, _earlyExit, tokens))
                {
                    return true;   // a shorter one may still fit
                }

                LayerState early = _run.Start(units, _earlyExit, stop);
                if (_earlyExit == _lastExit)
                {
                    early.Dispose();
                    return true;
                }

                lock (_lock)
                {
                    _waiting.Add((text, early));
                }
            }
            else
            {
                using (state)
                {
                    _run.CarryOn(state, _units[text]!, _lastExit, stop).Dispose();
                }
            }

            return true;
        }
        finally
        {
            lock (_lock)
            {
                _busy--;
            }
        }
    }

    // The best guess among those that can still reach the last exit; -1 for none.
    private int BestThatFits()
    {
        int best = -1;
        for (int i = 0; i < _waiting.Count; i++)
        {
            if ((best < 0 || _run.Logits[_waiting[i].Text] > _run.Logits[_waiting[best].Text]) && Fits(_earlyExit, _lastExit, _waiting[i].State.Lengths.Sum()))
            {
                best = i;
            }
        }

        return best;
    }

    private bool Fits(int from, int to, int tokens) => _run.Pace.Expected(from, to, tokens) <= Left();
}
