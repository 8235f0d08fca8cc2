using System.Globalization;
using Npgsql;

namespace SkMmBert;

/// <summary>Gives every item the vector of another model: embedded beside the store, put in its place in one transaction.</summary>
internal sealed class PostgresReembedding(PostgresServer server, PostgresSchema schema, string schemaName, string name)
{
    private const int BatchTexts = 256;

    private readonly string _drafts = $"{schemaName}.reembedding";

    public Task RunAsync(
        MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed, IProgress<double>? progress, CancellationToken cancellationToken) =>
        server.OnceAsync(async (connection, token) =>
        {
            await LockAsync(connection, token).ConfigureAwait(false);
            try
            {
                await PrepareAsync(connection, model, token).ConfigureAwait(false);
                do
                {
                    await EmbedAsync(connection, model, embed, progress, token).ConfigureAwait(false);
                }
                while (!await ReplaceAsync(connection, model, token).ConfigureAwait(false)); // texts came while others were embedded
                progress?.Report(1);
                return true;
            }
            finally
            {
                // A broken connection has lost the lock already.
                if (connection.State == System.Data.ConnectionState.Open)
                    await PostgresSchema.ExecuteAsync(connection, $"SELECT pg_advisory_unlock({schema.LockClass}, -2)", CancellationToken.None).ConfigureAwait(false);
            }
        }, cancellationToken);

    private async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using NpgsqlCommand command = new($"SELECT pg_try_advisory_lock({schema.LockClass}, -2)", connection);
        if (!(bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!)
            throw new InvalidOperationException($"The memory '{name}' is being embedded again by another process. Wait until that has finished.");
    }

    // Drafts of a broken-off run for the same model are used again.
    private async Task PrepareAsync(NpgsqlConnection connection, MemoryModel model, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            Dictionary<string, string> facts = await schema.ReadFactsAsync(connection, cancellationToken).ConfigureAwait(false);
            if (facts.GetValueOrDefault("reembedding") != model.Fingerprint)
            {
                await PostgresSchema.ExecuteAsync(connection, $"DROP TABLE IF EXISTS {_drafts}; CREATE TABLE {_drafts} (key bigint PRIMARY KEY, vector vector({model.Dimensions}) NOT NULL)", cancellationToken).ConfigureAwait(false);
                using NpgsqlCommand command = new($"INSERT INTO {schema.Facts} VALUES ('reembedding', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", connection) { Parameters = { new() { Value = model.Fingerprint } } };
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task EmbedAsync(
        NpgsqlConnection connection, MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using NpgsqlCommand count = new($"SELECT (SELECT count(*) FROM {schema.Table}), (SELECT count(*) FROM {_drafts})", connection);
        long all, done;
        NpgsqlDataReader counts = await count.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (counts.ConfigureAwait(false))
        {
            await counts.ReadAsync(cancellationToken).ConfigureAwait(false);
            (all, done) = (counts.GetInt64(0), counts.GetInt64(1));
        }

        for (long after = -1; ;)
        {
            List<(long Key, string Text)> page = [];
            using NpgsqlCommand command = new(
                $"SELECT key, text FROM {schema.Table} AS item WHERE key > {after} AND NOT EXISTS (SELECT FROM {_drafts} AS draft WHERE draft.key = item.key) ORDER BY key LIMIT {BatchTexts}", connection);
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) page.Add((reader.GetInt64(0), reader.GetString(1)));
            if (page.Count == 0) return;
            IReadOnlyList<ReadOnlyMemory<float>> vectors = await embed([.. page.Select(p => p.Text)], cancellationToken).ConfigureAwait(false);
            if (vectors.Count != page.Count || vectors.Any(v => v.Length != model.Dimensions))
                throw new InvalidOperationException($"{page.Count} texts came back as {vectors.Count} vectors of {(vectors.Count > 0 ? vectors[0].Length : 0)} numbers. Expected one of {model.Dimensions} for each, from '{model.Name}'.");
            NpgsqlBatch batch = new(connection);
            await using (batch.ConfigureAwait(false))
            {
                for (int i = 0; i < page.Count; i++)
                    batch.BatchCommands.Add(new($"INSERT INTO {_drafts} VALUES ($1, $2::real[]::vector)") { Parameters = { new() { Value = page[i].Key }, new() { Value = vectors[i].ToArray() } } });
                await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }

            after = page[^1].Key;
            done += page.Count;
            progress?.Report(Math.Min(0.99, (double)done / Math.Max(1, all)));
        }
    }

    // False when an item still lacks its vector.
    private async Task<bool> ReplaceAsync(NpgsqlConnection connection, MemoryModel model, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await PostgresSchema.ExecuteAsync(connection, $"LOCK TABLE {schema.Facts}, {schema.Table} IN ACCESS EXCLUSIVE MODE", cancellationToken).ConfigureAwait(false);
            using NpgsqlCommand missing = new($"SELECT EXISTS (SELECT FROM {schema.Table} AS item WHERE NOT EXISTS (SELECT FROM {_drafts} AS draft WHERE draft.key = item.key))", connection) { CommandTimeout = 0 };
            if ((bool)(await missing.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!) return false;
            Dictionary<string, string> facts = await schema.ReadFactsAsync(connection, cancellationToken).ConfigureAwait(false);
            string dropped = facts.ContainsKey("fingerprint")
                ? string.Create(CultureInfo.InvariantCulture, $"ALTER TABLE {schema.Table} DROP COLUMN IF EXISTS signs, DROP COLUMN IF EXISTS route, DROP COLUMN IF EXISTS retrieve, DROP COLUMN vector;\n")
                : "";
            // The index is built last, over everything at once.
            string columns = schema.VectorColumns(model).Replace(schema.VectorIndex(model), "", StringComparison.Ordinal);
            await PostgresSchema.ExecuteAsync(connection, dropped + columns, cancellationToken).ConfigureAwait(false);
            await PostgresSchema.ExecuteAsync(connection,
                $"UPDATE {schema.Table} AS item SET vector = draft.vector FROM {_drafts} AS draft WHERE draft.key = item.key; DROP TABLE {_drafts}; DELETE FROM {schema.Facts} WHERE name = 'reembedding';\n{schema.VectorIndex(model)}", cancellationToken).ConfigureAwait(false);
            await schema.WriteModelAsync(connection, model, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
    }
}
