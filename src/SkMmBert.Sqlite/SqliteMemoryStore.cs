using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

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
    private readonly SqliteFile _file;
    private readonly SqliteFollower _follower;
    private readonly ConcurrentDictionary<string, long> _commonTerms = new(StringComparer.Ordinal);
    private MemoryModel? _model;

    /// <summary>Names the file; nothing is opened or created yet.</summary>
    /// <param name="path">The file; it is created at first use if it is not there. Its folder must exist.</param>
    /// <param name="busyTimeout">How long to wait for another process that writes; <see langword="null"/> for 30 seconds.</param>
    public SqliteMemoryStore(string path, TimeSpan? busyTimeout = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _file = new SqliteFile(Path.GetFullPath(path), (int)Math.Clamp((busyTimeout ?? TimeSpan.FromSeconds(30)).TotalMilliseconds, 1, int.MaxValue));
        _follower = new SqliteFollower(_file);
    }

    /// <inheritdoc/>
    public override string Name => _file.Path;

    /// <summary>Bytes of memory an item takes while the store is open, once it is tied to a model.</summary>
    internal int ResidentBytesPerItem => _follower.BytesPerItem;

    /// <summary>For measurements: works on the part that is in memory.</summary>
    internal Task<T> ReadFunnelAsync<T>(Func<VectorFunnel, T> work) => ReadAsync(_ => _follower.Read(work), default);

    /// <summary>For tests: the file may not grow beyond so many pages, as on a full disk.</summary>
    internal void LimitPages(int pages) => _file.Writer!.Execute($"PRAGMA max_page_count = {pages}");

    /// <summary>For tests: writes fail as on a file without write permission, which an administrator's process would otherwise have.</summary>
    internal void RefuseWrites() => _file.Writer!.Execute("PRAGMA query_only = 1");

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be opened or written; the message says why.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, is not a memory, or was written by a newer version.</exception>
    public override Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        return _file.WriteAsync(() =>
        {
            if (_model is not null && _model.Fingerprint == model.Fingerprint)
            {
                return 0;
            }

            SqliteSession writer = _file.OpenWriter();
            (string? name, string? fingerprint) = StoredModel(writer);
            if (fingerprint is null)
            {
                writer.Transaction(write: true, () =>
                {
                    if (SqliteSchema.Meta(writer, "model_fingerprint") is null)
                    {
                        SqliteReembed.SetModel(writer, model);
                    }

                    return 0;
                });
                (name, fingerprint) = StoredModel(writer);
            }

            if (fingerprint != model.Fingerprint)
            {
                throw MemoryModel.Mismatch(Name, name!, fingerprint!, model);
            }

            _follower.Start(model);
            _model = model;
            return 0;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        MemoryModel? model = _model;
        Validate(items, model);

        // What can be made ready is, on every core, before anybody has to wait for the file.
        SqliteRow[] rows = new SqliteRow[items.Count];
        await Task.Run(() => Parallel.For(0, rows.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => rows[i] = new SqliteRow(items[i], model!)), cancellationToken).ConfigureAwait(false);
        await WriteAsync(writer =>
        {
            if (StoredModel(writer) is (string name, string fingerprint) && fingerprint != model!.Fingerprint)
            {
                throw MemoryModel.Mismatch(Name, name, fingerprint, model);
            }

            Dictionary<MemoryScope, int> scopes = [];
            foreach (MemoryScope scope in items.Select(item => item.Scope!).Distinct())
            {
                scopes[scope] = SqliteItems.ScopeNumber(writer, scope);
            }

            List<long> replaced = [];
            HashSet<(int, string)> seen = [];
            Dictionary<(int, string, int), int> last = new(items.Count);
            for (int i = 0; i < items.Count; i++)
            {
                int scope = scopes[items[i].Scope!];
                last[(scope, items[i].Id, items[i].Start)] = i;
                if (seen.Add((scope, items[i].Id)))
                {
                    SqliteReading.Keys(writer["SELECT key FROM items WHERE id = ? AND scope = ?"].With(items[i].Id, scope), replaced);
                }
            }

            SqliteItems.Remove(writer, replaced, cancellationToken);
            for (int i = 0; i < items.Count; i++)
            {
                if ((i & 255) == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }

                // An id and start given twice in one call: the last one counts.
                int scope = scopes[items[i].Scope!];
                if (last[(scope, items[i].Id, items[i].Start)] == i)
                {
                    SqliteItems.Write(writer, rows[i], scope);
                }
            }

            return 0;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        return ReadAsync(session => _follower.Read(funnel => session.Transaction(write: false, new SqliteSearch(session, funnel, search, _commonTerms, cancellationToken).Run)), cancellationToken);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        (string where, object?[] values) = SqliteItems.Where(filter);
        for (long last = 0; ;)
        {
            // Page by page, so that a long listing holds neither the file nor much memory.
            List<(long Key, MemoryItem Item)> page = await ReadAsync(session => SqliteReading.Page(session, where, values, last), cancellationToken).ConfigureAwait(false);
            foreach ((long key, MemoryItem item) in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return item;
                last = key;
            }

            if (page.Count < SqliteReading.PageItems)
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
        return WriteAsync(writer =>
        {
            List<long> keys = [];
            SqliteReading.Keys(writer[$"SELECT i.key FROM items i WHERE {where}"].With(values), keys);
            SqliteItems.Remove(writer, keys, cancellationToken);
            return keys.Count;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default) =>
        ReadAsync<IReadOnlyList<MemoryItem>>(session => SqliteReading.Sample(session, count, scopes, _follower.Read(funnel => funnel.Alive)), cancellationToken);

    /// <inheritdoc/>
    public override async Task CompactAsync(CancellationToken cancellationToken = default)
    {
        await WriteAsync(writer =>
        {
            writer.Execute("INSERT INTO words(words) VALUES('optimize')");
            writer.Execute("DELETE FROM removals");
            writer.Execute("DELETE FROM scopes WHERE number NOT IN (SELECT scope FROM items)");
            SqliteReembed.NextGeneration(writer);
            return 0;
        }, cancellationToken).ConfigureAwait(false);
        await _file.WriteAsync(() =>
        {
            _file.Writer!.Execute("VACUUM");
            _file.Writer["PRAGMA wal_checkpoint(TRUNCATE)"].Run();
            _commonTerms.Clear();
            return 0;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(embed);
        model.Validate();
        return _file.WriteAsync(async writer =>
        {
            await SqliteReembed.RunAsync(writer, model, embed, progress, cancellationToken).ConfigureAwait(false);
            _follower.Start(model);
            _model = model;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> FindProblemsAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<IReadOnlyList<string>>(SqliteReading.Problems, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _follower.Dispose();
        }
    }

    private static (string? Name, string? Fingerprint) StoredModel(SqliteSession writer) => (SqliteSchema.Meta(writer, "model_name"), SqliteSchema.Meta(writer, "model_fingerprint"));

    private async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        RequireBound(_model);
        return await _file.ReadAsync(read, cancellationToken).ConfigureAwait(false);
    }

    // One transaction: everything the work writes, or nothing.
    private async Task<T> WriteAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellationToken)
    {
        RequireBound(_model);
        return await _file.WriteAsync(() => _file.Writer!.Transaction(write: true, () => write(_file.Writer)), cancellationToken).ConfigureAwait(false);
    }
}
