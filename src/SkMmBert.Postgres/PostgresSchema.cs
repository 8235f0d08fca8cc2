using System.Globalization;
using System.Text;
using Npgsql;

namespace SkMmBert;

/// <summary>The tables of a store: made, migrated and tied to a model.</summary>
/// <remarks>
/// <c>items</c> holds everything but vectors and the columns that follow from them until the store is tied to a model:
/// <c>vector</c> (full, as given), and made from it by the server itself: <c>signs</c> (one bit a number of the route tier),
/// <c>route</c> (normalised prefix, HNSW index) and <c>retrieve</c> (half precision).
/// </remarks>
internal sealed class PostgresSchema(string schema, int partitions)
{
    /// <summary>Steps from each version to the next; a published step never changes.</summary>
    private static readonly Func<PostgresSchema, string>[] Steps = [s => s.Items(), s => s.SearchIndexes()];

    /// <summary>Most numbers of a vector that pgvector's HNSW takes: a wider route tier is scanned.</summary>
    public const int MaxIndexed = 2_000;

    public static int Version => Steps.Length;

    public string Table { get; } = $"{schema}.items";

    public string Facts { get; } = $"{schema}.facts";

    /// <summary>Names the advisory locks of this store.</summary>
    public int LockClass { get; } = schema.Aggregate(unchecked((int)2166136261), (hash, c) => unchecked((hash ^ c) * 16777619));

    /// <summary>Makes or migrates the tables, up to a version, and ties them to the model. Runs in a transaction.</summary>
    public async Task<MemoryModel> BindAsync(NpgsqlConnection connection, string name, MemoryModel model, int version, CancellationToken cancellationToken)
    {
        // A store that is ready needs no right to make anything, and no lock.
        if (await IsThereAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            Dictionary<string, string> ready = await ReadFactsAsync(connection, cancellationToken).ConfigureAwait(false);
            if (ready.GetValueOrDefault("version") == Version.ToString(CultureInfo.InvariantCulture) && ready.GetValueOrDefault("fingerprint") == model.Fingerprint) return model;
        }

        Dictionary<string, string> facts = await MigrateAsync(connection, name, version, cancellationToken).ConfigureAwait(false);
        if (facts.TryGetValue("fingerprint", out string? fingerprint))
            return fingerprint == model.Fingerprint ? model : throw MemoryModel.Mismatch(name, facts["model"], fingerprint, model);
        await ExecuteAsync(connection, VectorColumns(model), cancellationToken).ConfigureAwait(false);
        await WriteModelAsync(connection, model, cancellationToken).ConfigureAwait(false);
        return model;
    }

    /// <summary>Makes or migrates the tables, up to a version. Runs in a transaction.</summary>
    public async Task<Dictionary<string, string>> MigrateAsync(NpgsqlConnection connection, string name, int version, CancellationToken cancellationToken)
    {
        // Two programs that start at once: one makes the tables, the other waits and finds them.
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({LockClass}, -1)", cancellationToken).ConfigureAwait(false);
        await RequireExtensionAsync(connection, name, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {Facts} (name text PRIMARY KEY, value text NOT NULL)", cancellationToken).ConfigureAwait(false);
        Dictionary<string, string> facts = await ReadFactsAsync(connection, cancellationToken).ConfigureAwait(false);
        int from = facts.TryGetValue("version", out string? stored) ? int.Parse(stored, CultureInfo.InvariantCulture) : 0;
        if (from > Version)
            throw new InvalidDataException($"The memory '{name}' has schema version {from}; this program knows {Version}. Update SkMmBert.Postgres.");
        for (int step = from; step < version; step++)
            await ExecuteAsync(connection, Steps[step](this), cancellationToken).ConfigureAwait(false);
        if (from < version) await WriteFactsAsync(connection, [("version", version.ToString(CultureInfo.InvariantCulture))], cancellationToken).ConfigureAwait(false);
        return facts;
    }

    /// <summary>Refuses work with vectors of a model the store has left; a store that is about to leave its model waits for the transaction.</summary>
    public async Task CheckModelAsync(NpgsqlConnection connection, string name, MemoryModel model, CancellationToken cancellationToken)
    {
        Dictionary<string, string> facts = await ReadFactsAsync(connection, cancellationToken).ConfigureAwait(false);
        if (facts["fingerprint"] != model.Fingerprint) throw MemoryModel.Mismatch(name, facts["model"], facts["fingerprint"], model);
    }

    public Task WriteModelAsync(NpgsqlConnection connection, MemoryModel model, CancellationToken cancellationToken) =>
        WriteFactsAsync(connection, [("model", model.Name), ("fingerprint", model.Fingerprint), ("tiers", string.Join(',', model.Tiers))], cancellationToken);

    /// <summary>What the store says about itself: version, model, fingerprint, tiers.</summary>
    public async Task<Dictionary<string, string>> ReadFactsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        Dictionary<string, string> facts = [];
        using NpgsqlCommand command = new($"SELECT name, value FROM {Facts}", connection);
        NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) facts[reader.GetString(0)] = reader.GetString(1);
        return facts;
    }

    /// <summary>The columns of a model's vectors: one is written, the server derives the others.</summary>
    public string VectorColumns(MemoryModel model)
    {
        StringBuilder sql = new();
        int route = model.Tiers[0], bits = Math.Min(64, route);
        sql.Append(CultureInfo.InvariantCulture, $"ALTER TABLE {Table} ADD COLUMN vector vector({model.Dimensions})");
        sql.Append(CultureInfo.InvariantCulture, $", ADD COLUMN signs bit({bits}) GENERATED ALWAYS AS (binary_quantize(subvector(vector, 1, {bits}))::bit({bits})) STORED");
        sql.Append(CultureInfo.InvariantCulture, $", ADD COLUMN route vector({route}) GENERATED ALWAYS AS (l2_normalize(subvector(vector, 1, {route}))) STORED");
        if (RetrieveLength(model) is > 0 and int retrieve)
            sql.Append(CultureInfo.InvariantCulture, $", ADD COLUMN retrieve halfvec({retrieve}) GENERATED ALWAYS AS (l2_normalize(subvector(vector, 1, {retrieve}))::halfvec({retrieve})) STORED");
        sql.Append(";\n").Append(VectorIndex(model));
        return sql.ToString();
    }

    public string VectorIndex(MemoryModel model) => model.Tiers[0] <= MaxIndexed ? $"CREATE INDEX items_route ON {Table} USING hnsw (route vector_ip_ops)" : "";

    public static int RetrieveLength(MemoryModel model) => model.Tiers.Count >= 3 ? model.Tiers[^2] : 0;

    public static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // Tables are made and indexes built here: as long as it takes.
        using NpgsqlCommand command = new(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private string Items()
    {
        StringBuilder sql = new();
        sql.Append(CultureInfo.InvariantCulture, $"""
            CREATE SEQUENCE {schema}.item_keys;
            CREATE TABLE {Table} (
                key bigint NOT NULL DEFAULT nextval('{schema}.item_keys'),
                application text NOT NULL, agent text NOT NULL, person text NOT NULL, session text NOT NULL,
                id text NOT NULL, range_start integer NOT NULL, range_end integer NOT NULL,
                source text, text text NOT NULL, metadata jsonb NOT NULL, written timestamptz NOT NULL,
                words tsvector NOT NULL, length integer NOT NULL,
                UNIQUE (application, agent, person, session, id, range_start)
            )
            """);
        sql.Append(partitions > 0 ? " PARTITION BY HASH (application, agent, person, session);\n" : ";\n");
        for (int i = 0; i < partitions; i++)
            sql.Append(CultureInfo.InvariantCulture, $"CREATE TABLE {Table}_{i} PARTITION OF {Table} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {i});\n");
        sql.Append(CultureInfo.InvariantCulture, $"""
            CREATE INDEX items_key ON {Table} (key);
            CREATE INDEX items_scope ON {Table} (application, agent, person, session) INCLUDE (length);
            CREATE INDEX items_person ON {Table} (person, session);
            CREATE INDEX items_id ON {Table} USING hash (id);
            CREATE INDEX items_words ON {Table} USING gin (words);
            """);
        return sql.ToString();
    }

    private string SearchIndexes() => $"""
        CREATE INDEX items_metadata ON {Table} USING gin (metadata jsonb_path_ops);
        CREATE INDEX items_written ON {Table} (written);
        CREATE INDEX items_source ON {Table} USING hash (source);
        """;

    private async Task<bool> IsThereAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using NpgsqlCommand command = new($"SELECT to_regclass('{Facts}') IS NOT NULL", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private async Task WriteFactsAsync(NpgsqlConnection connection, (string Name, string Value)[] facts, CancellationToken cancellationToken)
    {
        foreach ((string name, string value) in facts)
        {
            using NpgsqlCommand command = new($"INSERT INTO {Facts} VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", connection)
            {
                Parameters = { new() { Value = name }, new() { Value = value } },
            };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task RequireExtensionAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        async Task<string?> InstalledAsync()
        {
            using NpgsqlCommand command = new("SELECT extversion FROM pg_extension WHERE extname = 'vector'", connection);
            return (string?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }

        string? version = await InstalledAsync().ConfigureAwait(false);
        if (version is null)
        {
            try
            {
                await ExecuteAsync(connection, "CREATE EXTENSION IF NOT EXISTS vector", cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState is "0A000" or "58P01" or "42501")
            {
                throw new InvalidOperationException(
                    $"The memory '{name}' needs the pgvector extension, which is not there: {e.MessageText}. Install pgvector 0.8 or later on the server and let an administrator run 'CREATE EXTENSION vector' once in this database.", e);
            }

            version = await InstalledAsync().ConfigureAwait(false);
        }

        if (!System.Version.TryParse(version, out Version? installed) || installed < new Version(0, 8))
            throw new InvalidOperationException($"The memory '{name}' has pgvector {version}. Expected 0.8 or later; install it and run 'ALTER EXTENSION vector UPDATE'.");
    }
}
