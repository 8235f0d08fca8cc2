using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace SkMmBert;

/// <summary>Keeps memory in one SQLite file that several processes may share: the embedded default.</summary>
/// <remarks>
/// <para>What a call has written survives a killed process and a lost power supply (write-ahead log, synchronous at each commit). Items other
/// processes write are seen by the next search. The file is opened at first use; about 90 bytes an item stay in memory, the rest on disk.</para>
/// <para>Thread-safe: searches run side by side, one write at a time. Disposing closes the file.</para>
/// </remarks>
/// <example><code>
/// using SqliteMemoryStore store = new("memory.db");
/// AgentMemory memory = new(embedder, store);
/// await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
/// int items = await store.CountAsync(MemoryFilter.All);   // 1, also after a restart
/// </code></example>
public sealed class SqliteMemoryStore : MemoryStore
{
    private readonly string _path;
    private readonly int _busyMilliseconds;
    private readonly ReaderWriterLockSlim _mirrorLock = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly object _watching = new();
    private readonly ConcurrentBag<SqliteSession> _readers = [];
    private readonly ConcurrentDictionary<string, long> _commonTerms = new(StringComparer.Ordinal);
    private SqliteSession? _writer, _watch;
    private SqliteMirror? _mirror;
    private MemoryModel? _model;
    private volatile bool _disposed;

    /// <summary>Names the file; nothing is opened or created yet.</summary>
    /// <param name="path">The file; it is created at first use if it is not there. Its folder must exist.</param>
    /// <param name="busyTimeout">How long to wait for another process that writes; <see langword="null"/> for 30 seconds.</param>
    public SqliteMemoryStore(string path, TimeSpan? busyTimeout = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
        _busyMilliseconds = (int)Math.Clamp((busyTimeout ?? TimeSpan.FromSeconds(30)).TotalMilliseconds, 1, int.MaxValue);
    }

    /// <inheritdoc/>
    public override string Name => _path;

    /// <summary>Bytes of memory an item takes while the store is open, once it is tied to a model.</summary>
    internal int ResidentBytesPerItem => _mirror?.Funnel.BytesPerSlot ?? 0;

    /// <summary>For tests: the file may not grow beyond so many pages, as on a full disk.</summary>
    internal void LimitPages(int pages) => _writer!.Execute($"PRAGMA max_page_count = {pages}");

    /// <summary>For tests: writes fail as on a file without write permission, which an administrator's process would otherwise have.</summary>
    internal void RefuseWrites() => _writer!.Execute("PRAGMA query_only = 1");

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be opened or written; the message says why.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, is not a memory, or was written by a newer version.</exception>
    public override Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        return WriteAsync(() =>
        {
            if (_model is not null && _model.Fingerprint == model.Fingerprint)
            {
                return 0;
            }

            OpenWriter();
            (string? name, string? fingerprint) = StoredModel();
            if (fingerprint is null)
            {
                _writer!.Transaction(write: true, () =>
                {
                    if (SqliteSchema.Meta(_writer, "model_fingerprint") is null)
                    {
                        SqliteReembed.SetModel(_writer, model);
                    }

                    return 0;
                });
                (name, fingerprint) = StoredModel();
            }

            if (fingerprint != model.Fingerprint)
            {
                throw MemoryModel.Mismatch(_path, name!, fingerprint!, model);
            }

            Follow(model);
            return 0;
        }, mayCreate: true, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return WriteAsync(() =>
        {
            Validate(items, _model);
            return _writer!.Transaction(write: true, () =>
            {
                RequireSameModel();
                Dictionary<MemoryScope, int> scopes = [];
                foreach (MemoryScope scope in items.Select(item => item.Scope!).Distinct())
                {
                    scopes[scope] = SqliteItems.ScopeNumber(_writer, scope);
                }

                List<long> replaced = [];
                HashSet<(int, string)> seen = [];
                Dictionary<(int, string, int), MemoryItem> last = new(items.Count);
                foreach (MemoryItem item in items)
                {
                    int scope = scopes[item.Scope!];
                    last[(scope, item.Id, item.Start)] = item;
                    if (seen.Add((scope, item.Id)))
                    {
                        ReadKeys(_writer["SELECT key FROM items WHERE id = ? AND scope = ?"].With(item.Id, scope), replaced);
                    }
                }

                SqliteItems.Remove(_writer, replaced, cancellationToken);
                int written = 0;
                foreach (MemoryItem item in items)
                {
                    if ((written++ & 255) == 0)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                    }

                    // An id and start given twice in one call: the last one counts.
                    int scope = scopes[item.Scope!];
                    if (ReferenceEquals(last[(scope, item.Id, item.Start)], item))
                    {
                        SqliteItems.Write(_writer, item, scope, _model!);
                    }
                }

                return 0;
            });
        }, mayCreate: false, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        return ReadAsync(session =>
        {
            FollowIfNeeded();
            _mirrorLock.EnterReadLock();
            try
            {
                SqliteSearch run = new(session, _mirror!.Funnel, search, _commonTerms, cancellationToken);
                return session.Transaction(write: false, run.Run);
            }
            finally
            {
                _mirrorLock.ExitReadLock();
            }
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        (string where, object?[] values) = SqliteItems.Where(filter);
        for (long last = 0; ;)
        {
            // Page by page, so that a long listing holds neither the file nor much memory.
            List<(long Key, MemoryItem Item)> page = await ReadAsync(session => Page(session, where, values, last), cancellationToken).ConfigureAwait(false);
            foreach ((long key, MemoryItem item) in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return item;
                last = key;
            }

            if (page.Count < 500)
            {
                yield break;
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        (string where, object?[] values) = SqliteItems.Where(filter);
        return ReadAsync(session => (int)(session[$"SELECT count(*) FROM items i WHERE {where}"].With(values).Scalar() ?? 0), cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        (string where, object?[] values) = SqliteItems.Where(filter);
        return WriteAsync(() =>
        {
            RequireBound(_model);
            return _writer!.Transaction(write: true, () =>
            {
                List<long> keys = [];
                ReadKeys(_writer[$"SELECT i.key FROM items i WHERE {where}"].With(values), keys);
                SqliteItems.Remove(_writer, keys, cancellationToken);
                return keys.Count;
            });
        }, mayCreate: false, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default) =>
        ReadAsync<IReadOnlyList<MemoryItem>>(session =>
        {
            FollowIfNeeded();
            List<long> keys = [];
            if (scopes is null && _mirror!.Funnel.Alive > count)
            {
                // At even steps between the first key and the last: no pass over a million items for a few hundred.
                (long first, long last) = (session["SELECT min(key) FROM items"].Scalar() ?? 0, session["SELECT max(key) FROM items"].Scalar() ?? 0);
                for (int i = 0; i < count; i++)
                {
                    ReadKeys(session["SELECT key FROM items WHERE key >= ? ORDER BY key LIMIT 1"].With(first + ((last - first + 1) * i / count)), keys);
                }

                return [.. keys.Distinct().SelectMany(key => Page(session, "i.key = ?", [key], 0)).Select(pair => pair.Item)];
            }

            foreach (MemoryScope? scope in scopes ?? [null!])
            {
                ReadKeys(scope is null ? session["SELECT key FROM items ORDER BY key"] : session["SELECT key FROM items WHERE scope = (SELECT number FROM scopes WHERE scope = ?) ORDER BY key"].With(scope.ToString()), keys);
            }

            keys.Sort();
            int taken = Math.Min(Math.Max(0, count), keys.Count);
            return [.. Enumerable.Range(0, taken).SelectMany(i => Page(session, "i.key = ?", [keys[(int)((long)i * keys.Count / taken)]], 0)).Select(pair => pair.Item)];
        }, cancellationToken);

    /// <inheritdoc/>
    public override Task CompactAsync(CancellationToken cancellationToken = default) => WriteAsync(() =>
    {
        RequireBound(_model);
        _writer!.Transaction(write: true, () =>
        {
            _writer.Execute("INSERT INTO words(words) VALUES('optimize')");
            _writer.Execute("DELETE FROM removals");
            _writer.Execute("DELETE FROM scopes WHERE number NOT IN (SELECT scope FROM items)");
            SqliteReembed.NextGeneration(_writer);
            return 0;
        });
        _writer.Execute("VACUUM");
        _writer["PRAGMA wal_checkpoint(TRUNCATE)"].Run();
        _commonTerms.Clear();
        return 0;
    }, mayCreate: false, cancellationToken);

    /// <inheritdoc/>
    public override async Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(embed);
        model.Validate();
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            OpenWriter();
            await SqliteReembed.RunAsync(_writer!, model, embed, progress, cancellationToken).ConfigureAwait(false);
            Follow(model);
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Explain(error, _path, _busyMilliseconds);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> FindProblemsAsync(CancellationToken cancellationToken = default) => ReadAsync<IReadOnlyList<string>>(session =>
    {
        List<string> problems = [];
        SqliteStatement rows = session["PRAGMA integrity_check(20)"];
        while (rows.Step())
        {
            if (rows.Text(0) is { } line && line != "ok")
            {
                problems.Add(line);
            }
        }

        long items = session["SELECT count(*) FROM items"].Scalar() ?? 0;
        foreach (string table in new[] { "coarse", "full", "words" })
        {
            if (session[$"SELECT count(*) FROM {table}"].Scalar() is { } count && count != items)
            {
                problems.Add($"the table {table} has {count} rows for {items} items");
            }
        }

        return problems;
    }, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing || _disposed)
        {
            return;
        }

        _disposed = true;
        _writing.Wait();
        _writer?.Dispose();
        lock (_watching)
        {
            _watch?.Dispose();
        }

        while (_readers.TryTake(out SqliteSession? reader))
        {
            reader.Dispose();
        }

        _mirrorLock.Dispose();
    }

    private static void ReadKeys(SqliteStatement rows, List<long> keys)
    {
        while (rows.Step())
        {
            keys.Add(rows.Integer(0));
        }
    }

    private List<(long Key, MemoryItem Item)> Page(SqliteSession session, string where, object?[] values, long after)
    {
        SqliteStatement rows = session[$"SELECT {SqliteItems.Columns}, f.data {SqliteItems.From} JOIN full f ON f.key = i.key WHERE {where} AND i.key > ? ORDER BY i.key LIMIT 500"].With([.. values, after]);
        List<(long, MemoryItem)> page = [];
        while (rows.Step())
        {
            float[] vector = new float[rows.Blob(9).Length / 2];
            SqliteBlobs.ReadFull(rows.Blob(9), vector);
            page.Add((rows.Integer(0), SqliteItems.Read(rows) with { Vector = vector }));
        }

        return page;
    }

    private void OpenWriter()
    {
        if (_writer is null)
        {
            SqliteSession opened = new(_path, create: true, _busyMilliseconds);
            try
            {
                SqliteSchema.Prepare(opened, _path);
                opened.Execute("PRAGMA synchronous = FULL");
            }
            catch
            {
                opened.Dispose();
                throw;
            }

            _writer = opened;
        }
    }

    private (string? Name, string? Fingerprint) StoredModel() => (SqliteSchema.Meta(_writer!, "model_name"), SqliteSchema.Meta(_writer!, "model_fingerprint"));

    private void RequireSameModel()
    {
        if (StoredModel() is (string name, string fingerprint) && fingerprint != _model!.Fingerprint)
        {
            throw MemoryModel.Mismatch(_path, name, fingerprint, _model);
        }
    }

    private void Follow(MemoryModel model)
    {
        lock (_watching)
        {
            _watch ??= new SqliteSession(_path, create: false, _busyMilliseconds);
            SqliteMirror mirror = new(model);
            mirror.Follow(_watch, _path);
            _mirrorLock.EnterWriteLock();
            (_mirror, _model) = (mirror, model);
            _mirrorLock.ExitWriteLock();
        }
    }

    private void FollowIfNeeded()
    {
        lock (_watching)
        {
            if (_mirror!.IsCurrent(_watch!))
            {
                return;
            }

            _mirrorLock.EnterWriteLock();
            try
            {
                _mirror.Follow(_watch!, _path);
            }
            finally
            {
                _mirrorLock.ExitWriteLock();
            }
        }
    }

    private Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken) => Task.Run(() => Explained(() =>
    {
        RequireBound(_model);
        RequireFile();
        SqliteSession session = _readers.TryTake(out SqliteSession? idle) ? idle : new SqliteSession(_path, create: false, _busyMilliseconds);
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

    private async Task<T> WriteAsync<T>(Func<T> write, bool mayCreate, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Explained(() =>
            {
                if (!mayCreate || _writer is not null)
                {
                    RequireBound(_model);
                    RequireFile();
                }

                return write();
            }), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    // A deleted file lives on while it is open, so a write would be acknowledged and lost.
    private void RequireFile()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!File.Exists(_path))
        {
            throw new FileNotFoundException($"'{_path}' was deleted or moved while it was open. Put it back, or open a new store; nothing of this call was written.", _path);
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
            throw SqliteErrors.Explain(error, _path, _busyMilliseconds);
        }
    }
}
