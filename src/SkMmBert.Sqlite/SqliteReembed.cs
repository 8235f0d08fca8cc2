using System.Globalization;

namespace SkMmBert;

/// <summary>Replaces a file's vectors by another model's: built beside the old ones in many small transactions, swapped in by one.</summary>
internal static class SqliteReembed
{
    private const string Suffix = "_next";

    public static async Task RunAsync(
        SqliteSession writer, MemoryModel model, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<ReadOnlyMemory<float>>>> embed,
        IProgress<double>? progress, CancellationToken cancellationToken)
    {
        writer.Transaction(write: true, () => Recreate(writer));
        long done = 0;
        while (true)
        {
            List<(long Key, int Scope, DateTimeOffset Time, string Text)> batch = Missing(writer);
            if (batch.Count == 0)
            {
                // Another process may have written since; under the write lock nobody can.
                if (writer.Transaction(write: true, () => Missing(writer).Count == 0 && Swap(writer, model)))
                {
                    progress?.Report(1);
                    return;
                }

                continue;
            }

            IReadOnlyList<ReadOnlyMemory<float>> vectors = await embed([.. batch.Select(row => row.Text)], cancellationToken).ConfigureAwait(false);
            if (vectors.Count != batch.Count || vectors.Any(vector => vector.Length != model.Dimensions))
            {
                throw new ArgumentException($"Embedding {batch.Count} texts gave {vectors.Count} vectors. Expected one of {model.Dimensions} numbers for each.", nameof(embed));
            }

            writer.Transaction(write: true, () =>
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    (long key, int scope, DateTimeOffset time, string text) = batch[i];
                    SqliteItems.WriteVectors(writer, Suffix, key, new SqliteRow(new MemoryItem { Text = text, Time = time, Vector = vectors[i] }, model), scope);
                }

                return 0;
            });
            done += batch.Count;
            progress?.Report(done / Math.Max(done, (double)(writer["SELECT count(*) FROM items"].Scalar() ?? 1)));
        }
    }

    private static int Recreate(SqliteSession writer)
    {
        foreach (string table in SqliteSchema.VectorTables)
        {
            string create = string.Format(CultureInfo.InvariantCulture, table, Suffix);
            writer.Execute($"DROP TABLE IF EXISTS {create["CREATE TABLE ".Length..create.IndexOf('(')]}");
            writer.Execute(create);
        }

        return 0;
    }

    private static List<(long, int, DateTimeOffset, string)> Missing(SqliteSession writer)
    {
        List<(long, int, DateTimeOffset, string)> rows = [];
        SqliteStatement query = writer[$"SELECT i.key, i.scope, i.time, i.text FROM items i WHERE NOT EXISTS (SELECT 1 FROM full{Suffix} f WHERE f.key = i.key) ORDER BY i.key LIMIT 256"];
        while (query.Step())
        {
            rows.Add((query.Integer(0), (int)query.Integer(1), new DateTimeOffset(query.Integer(2), TimeSpan.Zero), query.Text(3)!));
        }

        return rows;
    }

    private static bool Swap(SqliteSession writer, MemoryModel model)
    {
        foreach (string table in new[] { "coarse", "middle", "full" })
        {
            writer.Execute($"DELETE FROM {table}{Suffix} WHERE key NOT IN (SELECT key FROM items)");
            writer.Execute($"DROP TABLE {table}");
            writer.Execute($"ALTER TABLE {table}{Suffix} RENAME TO {table}");
        }

        SetModel(writer, model);
        NextGeneration(writer);
        return true;
    }

    public static void SetModel(SqliteSession writer, MemoryModel model)
    {
        SqliteSchema.SetMeta(writer, "model_name", model.Name);
        SqliteSchema.SetMeta(writer, "model_fingerprint", model.Fingerprint);
        SqliteSchema.SetMeta(writer, "model_tiers", string.Join(',', model.Tiers));
    }

    /// <summary>Tells every process that follows the file to read it anew.</summary>
    public static void NextGeneration(SqliteSession writer) => SqliteSchema.SetMeta(
        writer, "generation", (long.Parse(SqliteSchema.Meta(writer, "generation") ?? "0", null) + 1).ToString(CultureInfo.InvariantCulture));
}
