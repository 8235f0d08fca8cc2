using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace SkMmBert;

/// <summary>One file with its sessions: one that writes, a pool of those that read. Says in words what SQLite's errors mean.</summary>
internal sealed class SqliteFile(string path, int busyMilliseconds) : IDisposable
{
    // Kibibytes of pages a session keeps: the upper levels of every tree of a million items, so that a look-up reads its leaf alone.
    private const int ReaderCache = 16_384, WriterCache = 65_536;

    // Pages of the log before they go to the file: a load of many batches rewrites the same index pages, and then writes them once.
    private const int CheckpointPages = 8_192;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentBag<SqliteSession> _readers = [];
    private volatile bool _disposed;

    public string Path { get; } = path;

    /// <summary>The session that writes; null until <see cref="OpenWriter"/>.</summary>
    public SqliteSession? Writer { get; private set; }

    /// <summary>Creates or migrates the file when that was not done yet.</summary>
    public SqliteSession OpenWriter()
    {
        if (Writer is null)
        {
            SqliteSession opened = new(Path, create: true, busyMilliseconds, WriterCache);
            try
            {
                SqliteSchema.Prepare(opened, Path);
                opened.Execute("PRAGMA synchronous = FULL");
                opened.Execute($"PRAGMA wal_autocheckpoint = {CheckpointPages}");
            }
            catch
            {
                opened.Dispose();
                throw;
            }

            Writer = opened;
        }

        return Writer;
    }

    public SqliteSession OpenReader() => new(Path, create: false, busyMilliseconds, ReaderCache);

    /// <summary>Reads on a session of the pool; any number at once.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken) => Task.Run(() => Explained(() =>
    {
        RequireFile();
        SqliteSession session = _readers.TryTake(out SqliteSession? idle) ? idle : OpenReader();
        bool returned = false;
        try
        {
            T result = read(session);
            returned = true;
            return result;
        }
        finally
        {
            // A session whose statements may be half way is not used again.
            if (returned && !_disposed)
            {
                _readers.Add(session);
            }
            else
            {
                session.Dispose();
            }
        }
    }), cancellationToken);

    /// <summary>Runs a write of this process, one at a time.</summary>
    public async Task<T> WriteAsync<T>(Func<T> write, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Explained(() =>
            {
                if (Writer is not null)
                {
                    RequireFile();
                }

                ObjectDisposedException.ThrowIf(_disposed, this);
                return write();
            }), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Runs a write that waits for something else in between.</summary>
    public async Task WriteAsync(Func<SqliteSession, Task> write, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await write(OpenWriter()).ConfigureAwait(false);
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Explain(error, Path, busyMilliseconds);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _writing.Wait();
        Writer?.Dispose();
        while (_readers.TryTake(out SqliteSession? reader))
        {
            reader.Dispose();
        }
    }

    // A deleted file lives on while it is open, so a write would be acknowledged and lost.
    private void RequireFile()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!File.Exists(Path))
        {
            throw new FileNotFoundException($"'{Path}' was deleted or moved while it was open. Put it back, or open a new store; nothing of this call was written.", Path);
        }
    }

    private T Explained<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Explain(error, Path, busyMilliseconds);
        }
    }
}
