namespace SkMmBert;

/// <summary>Runs the layers of a model: on graphs of our own, or on published ones.</summary>
/// <remarks>Thread-safe. What it holds is freed when it is disposed and the last run is over, so that closing a model under way cannot take memory from a run.</remarks>
internal abstract class LayerRunner(string folder, int layers, int? threads) : IDisposable
{
    /// <summary>From this many tokens on a run may use several threads and gives its memory back.</summary>
    protected const int LongTokens = 1_024;

    /// <summary>From this many tokens on a run takes so long that reading the mappings of the weights anew costs nothing beside it.</summary>
    protected const int VeryLongTokens = 4 * LongTokens;

    private readonly Lock _counting = new();
    private int _running;
    private bool _disposed;

    /// <summary>The model folder, for messages.</summary>
    protected string Folder => folder;

    /// <summary>Whether texts of any length run side by side without padding.</summary>
    public virtual bool Packs => false;

    /// <summary>Runs a batch from its token ids to an exit.</summary>
    public LayerState Run(TokenBatch batch, int exit, CancellationToken cancellationToken)
    {
        CheckExit(exit);
        return Counted(batch.Ids.Length, several => Run(batch, exit, several, cancellationToken), cancellationToken);
    }

    /// <summary>Carries a state on to a later exit; the given state stays valid.</summary>
    public LayerState Continue(LayerState state, int exit, CancellationToken cancellationToken)
    {
        CheckExit(exit);
        ArgumentOutOfRangeException.ThrowIfLessThan(exit, state.Exit);
        return Counted(state.Lengths.Sum(), several =>
        {
            using LayerState held = state.Hold();   // its owner may dispose it when a cancelled run is left behind
            return Continue(held, exit, several, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>A state of some of the texts only, copied.</summary>
    public abstract LayerState Select(LayerState state, ReadOnlySpan<int> rows);

    /// <summary>Refuses an exit that cannot be run.</summary>
    public virtual void CheckExit(int exit)
    {
        if (exit < 0 || exit > layers)
        {
            throw new ArgumentException($"Exit {exit} was asked of '{Folder}'. Expected: 1 to {layers}, the model's layers.", nameof(exit));
        }
    }

    public void Dispose()
    {
        lock (_counting)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            if (_running > 0)
            {
                return;
            }
        }

        Free();
    }

    protected abstract LayerState Run(TokenBatch batch, int exit, int threads, CancellationToken cancellationToken);

    protected abstract LayerState Continue(LayerState state, int exit, int threads, CancellationToken cancellationToken);

    protected abstract void Free();

    /// <summary>Where the tokens of each text begin, and the end: [rows + 1].</summary>
    internal static int[] Starts(int[] lengths)
    {
        int[] starts = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++)
        {
            starts[i + 1] = starts[i] + lengths[i];
        }

        return starts;
    }

    private LayerState Counted(int tokens, Func<int, LayerState> run, CancellationToken cancellationToken)
    {
        int several = Enter(tokens);
        if (tokens >= LongTokens && cancellationToken.CanBeCanceled)
        {
            return ApartRun.Wait(Run, cancellationToken);
        }

        return Run();

        LayerState Run()
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                return run(several);
            }
            finally
            {
                Leave();
            }
        }
    }

    // One thread a run for short texts in parallel streams; all processors for a long text that runs alone.
    private int Enter(int tokens)
    {
        lock (_counting)
        {
            if (_disposed)
            {
                throw new ObjectDisposedException("MmBertModel");
            }
            _running++;
            return threads ?? (tokens >= LongTokens && _running == 1 ? Environment.ProcessorCount : 1);
        }
    }

    private void Leave()
    {
        lock (_counting)
        {
            if (--_running > 0 || !_disposed)
            {
                return;
            }
        }

        Free();
    }
}
