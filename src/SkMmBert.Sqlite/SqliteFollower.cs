namespace SkMmBert;

/// <summary>The mirror of a file behind a lock: every search first takes in what any process has committed since the last one.</summary>
internal sealed class SqliteFollower(SqliteFile file) : IDisposable
{
    private readonly ReaderWriterLockSlim _lock = new();
    private readonly Lock _watching = new();
    private SqliteSession? _watch;
    private SqliteMirror? _mirror;

    public int BytesPerItem => _mirror?.Funnel.BytesPerSlot ?? 0;

    /// <summary>Reads the file from the start, for a model.</summary>
    public void Start(MemoryModel model)
    {
        lock (_watching)
        {
            _watch ??= file.OpenReader();
            SqliteMirror mirror = new(model);
            mirror.Follow(_watch, file.Path);
            _lock.EnterWriteLock();
            _mirror = mirror;
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Works on a funnel that knows everything committed so far and stays as it is meanwhile.</summary>
    public T Read<T>(Func<VectorFunnel, T> work)
    {
        CatchUp();
        _lock.EnterReadLock();
        try
        {
            return work(_mirror!.Funnel);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    public void Dispose()
    {
        lock (_watching)
        {
            _watch?.Dispose();
        }

        _lock.Dispose();
    }

    private void CatchUp()
    {
        lock (_watching)
        {
            if (_mirror!.IsCurrent(_watch!))
            {
                return;
            }

            _lock.EnterWriteLock();
            try
            {
                _mirror.Follow(_watch!, file.Path);
            }
            finally
            {
                _lock.ExitWriteLock();
            }
        }
    }
}
