using System.Runtime.CompilerServices;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace SkMmBert;

/// <summary>Keeps memory in PostgreSQL with pgvector: many processes on many machines share it.</summary>
/// <remarks>
/// <para>Nothing is cached in the process: what one writes, all others find at once (from a replica: when it has followed). The schema is made
/// and migrated on first use. A search is two or three statements; with fewer than <see cref="PostgresMemoryOptions.IndexFrom"/> visible items
/// it looks at each of them, above that it starts at an HNSW index.</para>
/// <para>Thread-safe, up to the pool's connections at once. Calls go on through a server restart, as long as
/// <see cref="PostgresMemoryOptions.RetryFor"/> allows. Texts, ids and metadata must not hold U+0000 or lone surrogates, which PostgreSQL
/// cannot store; times are kept to the microsecond.</para>
/// <para>Closes the pool it opened from a connection string; a data source it was given stays open.</para>
/// </remarks>
/// <example><code>
/// using PostgresMemoryStore store = new("Host=db.example;Database=agents;Username=skmmbert");
/// AgentMemory memory = new(embedder, store);
/// await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
/// IReadOnlyList&lt;Evidence&gt; found = await memory.RecallAsync("How does Ada travel?");
/// // found[0].Text → "Ada prefers trains to planes."
/// </code></example>
public sealed class PostgresMemoryStore : MemoryStore
{
    private const int PageItems = 500;
    private const int WriteLocks = 64;
    private const int MaxKeyBytes = 2_000;

    private readonly NpgsqlDataSource _source;
    private readonly bool _ownsSource;
    private readonly PostgresMemoryOptions _options;
    private readonly PostgresSchema _schema;
    private readonly PostgresServer _server;
    private volatile MemoryModel? _model;

    /// <summary>Opens a store by connection string or address; no connection is made before the first call.</summary>
    /// <param name="connection">An Npgsql connection string, such as <c>Host=db.example;Database=agents;Username=skmmbert;Password=…</c>,
    /// or an address, such as <c>postgres://skmmbert@db.example/agents?schema=crew</c>, whose schema wins over the options'.</param>
    /// <param name="options">Schema, partitions, patience; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The connection string or address cannot be read.</exception>
    public PostgresMemoryStore(string connection, PostgresMemoryOptions? options = null)
        : this(PostgresAddress.Parse(connection, options ?? new PostgresMemoryOptions())) => _ownsSource = true;

    /// <summary>Opens a store on a data source the program already has; no connection is made before the first call.</summary>
    /// <param name="source">Gives connections to a server that takes writes. Not disposed by the store.</param>
    /// <param name="options">Schema, partitions, patience; <see langword="null"/> for the defaults.</param>
    public PostgresMemoryStore(NpgsqlDataSource source, PostgresMemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        _options = options ?? new PostgresMemoryOptions();
        _options.Validate();
        // The connection string of a data source shows no password.
        NpgsqlConnectionStringBuilder where = new(source.ConnectionString);
        Name = $"{where.Host}:{where.Port}/{where.Database}/{_options.Schema}";
        _schema = new PostgresSchema(_options.Schema, _options.Partitions);
        _server = new PostgresServer(source, _options, Name);
    }

    private PostgresMemoryStore((NpgsqlDataSource Source, PostgresMemoryOptions Options) opened)
        : this(opened.Source, opened.Options)
    {
    }

    /// <summary>Server, database and schema; never the password.</summary>
    public override string Name { get; }

    /// <inheritdoc/>
    public override Task BindAsync(MemoryModel model, CancellationToken cancellationToken = default) => BindAsync(model, PostgresSchema.Version, cancellationToken);

    /// <summary>Binds at an older schema version, as an older program would have.</summary>
    internal async Task BindAsync(MemoryModel model, int version, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Validate();
        _model = await _server.WriteAsync((connection, token) => _schema.BindAsync(connection, Name, model, version, token), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task AddAsync(IReadOnlyList<MemoryItem> items, CancellationToken cancellationToken = default)
    {
        Validate(items, _model);
        RequireStorable(items);
        if (items.Count == 0) return;
        MemoryModel model = _model!;
        // An id and start given twice in one call: the last one counts.
        Dictionary<(MemoryScope, string, int), MemoryItem> last = [];
        foreach (MemoryItem item in items) last[(item.Scope!, item.Id, item.Start)] = item;
        MemoryItem[] written = [.. items.Where(item => ReferenceEquals(last[(item.Scope!, item.Id, item.Start)], item))];
        await _server.WriteAsync(async (connection, token) =>
        {
            await LockAsync(connection, model, written, token).ConfigureAwait(false);
            (MemoryScope Scope, string Id)[] replaced = [.. written.Select(item => (item.Scope!, item.Id)).Distinct()];
            using (NpgsqlCommand delete = new(
                $"DELETE FROM {_schema.Table} WHERE (application, agent, person, session, id) IN (SELECT * FROM unnest($1, $2, $3, $4, $5))", connection))
            {
                foreach (Func<(MemoryScope Scope, string Id), string> column in (Func<(MemoryScope Scope, string Id), string>[])
                    [r => r.Scope.Application ?? "", r => r.Scope.Agent ?? "", r => r.Scope.User ?? "", r => r.Scope.Session ?? "", r => r.Id])
                    delete.Parameters.Add(new() { Value = replaced.Select(column).ToArray() });
                await delete.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            }

            foreach (MemoryItem[] page in written.Chunk(PageItems)) await InsertAsync(connection, page, token).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<MemorySearchResult> SearchAsync(MemorySearch search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        RequireBound(_model);
        if (search.Scopes.Count == 0 || search.Take <= 0) return cancellationToken.IsCancellationRequested ? Task.FromCanceled<MemorySearchResult>(cancellationToken) : Task.FromResult(MemorySearchResult.Empty);
        PostgresSearch running = new(_schema, _options, Name, _model!);
        return _server.ReadAsync((connection, token) => running.RunAsync(connection, search, token), cancellationToken);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        RequireBound(_model);
        // Page by page: a listing holds no connection while its items are worked on, and goes on after a restart.
        long after = -1;
        while (true)
        {
            long from = after;
            (long Key, MemoryItem Item)[] page = await _server.ReadAsync(async (connection, token) =>
            {
                PostgresFence fence = PostgresFence.Of(filter);
                return await ReadAsync(fence.Command(connection, $"SELECT {PostgresRows.Select} FROM {_schema.Table} AS item WHERE {fence.Where} AND key > {from} ORDER BY key LIMIT {PageItems}"), token).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
            foreach ((long key, MemoryItem item) in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                after = key;
                yield return item;
            }

            if (page.Length < PageItems) yield break;
        }
    }

    /// <inheritdoc/>
    public override Task<int> CountAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        RequireBound(_model);
        return _server.ReadAsync(async (connection, token) =>
        {
            PostgresFence fence = PostgresFence.Of(filter);
            using NpgsqlCommand command = fence.Command(connection, $"SELECT count(*) FROM {_schema.Table} WHERE {fence.Where}");
            return (int)(long)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> RemoveAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        RequireBound(_model);
        return _server.WriteAsync(async (connection, token) =>
        {
            PostgresFence fence = PostgresFence.Of(filter);
            using NpgsqlCommand command = fence.Command(connection, $"DELETE FROM {_schema.Table} WHERE {fence.Where}");
            return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<MemoryItem>> SampleAsync(int count, IReadOnlyList<MemoryScope>? scopes = null, CancellationToken cancellationToken = default)
    {
        RequireBound(_model);
        return _server.ReadAsync<IReadOnlyList<MemoryItem>>(async (connection, token) =>
        {
            PostgresFence fence = PostgresFence.Of(scopes);
            string taken = fence.Add((long)Math.Max(0, count));
            // Evenly by place: item i of n is the one at i · all / n.
            (long, MemoryItem Item)[] items = await ReadAsync(fence.Command(connection, $"""
                SELECT {PostgresRows.Select} FROM {_schema.Table} AS item WHERE key IN (
                    SELECT key FROM (SELECT key, row_number() OVER (ORDER BY key) - 1 AS place, count(*) OVER () AS size FROM {_schema.Table} WHERE {fence.Where}) AS placed
                    WHERE least({taken}, size) > 0 AND (place * least({taken}, size)) / size <> ((place - 1) * least({taken}, size)) / size OR place = 0 AND {taken} > 0)
                ORDER BY key LIMIT {taken}
                """), token).ConfigureAwait(false);
            return [.. items.Select(i => i.Item)];
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task CompactAsync(CancellationToken cancellationToken = default)
    {
        RequireBound(_model);
        // Outside a transaction, as VACUUM must be. Readers and writers go on meanwhile.
        return _server.OnceAsync((connection, token) => PostgresSchema.ExecuteAsync(connection, $"VACUUM (ANALYZE) {_schema.Table}", token), cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task ReembedAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(embed);
        model.Validate();
        await _server.WriteAsync((connection, token) => _schema.MigrateAsync(connection, Name, PostgresSchema.Version, token), cancellationToken).ConfigureAwait(false);
        await new PostgresReembedding(_server, _schema, _options.Schema, Name).RunAsync(model, embed, progress, cancellationToken).ConfigureAwait(false);
        _model = model;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsSource) _source.Dispose();
    }

    // Writers of the same id wait for each other, always in the same order; and none writes vectors of a model the store has left.
    private async Task LockAsync(NpgsqlConnection connection, MemoryModel model, MemoryItem[] items, CancellationToken cancellationToken)
    {
        IEnumerable<int> locks = items.Select(item => (int)(StableHash($"{item.Scope}\n{item.Id}") % WriteLocks)).Distinct().Order();
        using NpgsqlCommand command = new($"SELECT pg_advisory_xact_lock({_schema.LockClass}, number) FROM unnest($1) AS number", connection) { Parameters = { new() { Value = locks.ToArray() } } };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await _schema.CheckModelAsync(connection, Name, model, cancellationToken).ConfigureAwait(false);
    }

    private async Task InsertAsync(NpgsqlConnection connection, MemoryItem[] items, CancellationToken cancellationToken)
    {
        NpgsqlBatch batch = new(connection);
        await using (batch.ConfigureAwait(false))
        {
            foreach (MemoryItem item in items)
            {
                (string words, int length) = PostgresRows.Words(item.Text);
                NpgsqlBatchCommand command = new($"""
                    INSERT INTO {_schema.Table} (application, agent, person, session, id, range_start, range_end, source, text, metadata, written, words, length, vector)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::tsvector, $13, $14::real[]::vector)
                    """);
                foreach (object value in (object[])[item.Scope!.Application ?? "", item.Scope.Agent ?? "", item.Scope.User ?? "", item.Scope.Session ?? "", item.Id, item.Start, item.End])
                    command.Parameters.Add(new() { Value = value });
                command.Parameters.Add(new() { Value = (object?)item.Source ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
                command.Parameters.Add(new() { Value = item.Text });
                command.Parameters.Add(new() { Value = PostgresFence.Json(item.Metadata), NpgsqlDbType = NpgsqlDbType.Jsonb });
                command.Parameters.Add(new() { Value = item.Time!.Value.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
                command.Parameters.Add(new() { Value = words });
                command.Parameters.Add(new() { Value = length });
                command.Parameters.Add(new() { Value = item.Vector.ToArray() });
                batch.BatchCommands.Add(command);
            }

            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<(long Key, MemoryItem Item)[]> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        using (command)
        {
            List<(long, MemoryItem)> items = [];
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) items.Add((PostgresRows.Key(reader), PostgresRows.Read(reader)));
            return [.. items];
        }
    }

    private static void RequireStorable(IReadOnlyList<MemoryItem> items)
    {
        for (int i = 0; i < items.Count; i++)
        {
            MemoryItem item = items[i];
            string?[] texts = [item.Id, item.Text, item.Source, item.Scope!.Application, item.Scope.Agent, item.Scope.User, item.Scope.Session, .. item.Metadata.Keys, .. item.Metadata.Values];
            if (texts.Any(text => text is not null && !IsStorable(text)))
                throw new ArgumentException($"Item {i} ('{item.Id}') holds U+0000 or half of a surrogate pair. PostgreSQL cannot store either; remove them first.", nameof(items));
            int key = texts.Where((_, part) => part is 0 or >= 3 and <= 6).Sum(text => Encoding.UTF8.GetByteCount(text ?? ""));
            if (key > MaxKeyBytes)
                throw new ArgumentException($"Item {i} has an id and scope of {key} bytes. PostgreSQL indexes at most {MaxKeyBytes}; use a shorter id, such as a hash of it.", nameof(items));
        }
    }

    private static bool IsStorable(string text)
    {
        ReadOnlySpan<char> rest = text;
        for (int at; (at = rest.IndexOfAnyInRange('\uD800', '\uDFFF')) >= 0; rest = rest[(at + 2)..])
        {
            if (at + 1 >= rest.Length || !char.IsSurrogatePair(rest[at], rest[at + 1])) return false;
        }

        return !text.Contains('\0');
    }

    // The same in every process, unlike string.GetHashCode.
    private static uint StableHash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text) hash = unchecked((hash ^ c) * 16777619);
        return hash;
    }
}
