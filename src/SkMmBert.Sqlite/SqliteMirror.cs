namespace SkMmBert;

/// <summary>The first stages of the funnel for one file, kept in step with what any process commits to it.</summary>
internal sealed class SqliteMirror(MemoryModel model)
{
    private long _dataVersion = -1, _generation = -1, _lastKey, _lastRemoval;

    public VectorFunnel Funnel { get; private set; } = new(model);

    /// <summary>Whether nothing was committed since the last <see cref="Follow"/>: one cheap question to the file.</summary>
    public bool IsCurrent(SqliteSession watch) => watch["PRAGMA data_version"].Scalar() == _dataVersion;

    /// <summary>Reads what was committed since the last time. Needs the store's write lock, since searches read the funnel.</summary>
    public void Follow(SqliteSession watch, string path)
    {
        // The version is asked before the rows: a commit in between is then seen again next time, never missed.
        long version = watch["PRAGMA data_version"].Scalar() ?? 0;
        watch.Transaction(write: false, () =>
        {
            (string name, string fingerprint) = (SqliteSchema.Meta(watch, "model_name") ?? "", SqliteSchema.Meta(watch, "model_fingerprint") ?? "");
            if (fingerprint != model.Fingerprint)
            {
                throw MemoryModel.Mismatch(path, name, fingerprint, model);
            }

            long generation = long.Parse(SqliteSchema.Meta(watch, "generation") ?? "0", null);
            bool whole = generation != _generation;
            if (whole)
            {
                (Funnel, _lastKey, _lastRemoval) = (new VectorFunnel(model), 0, 0);
            }

            Load(watch, path);
            SqliteStatement removals = watch["SELECT sequence, key FROM removals WHERE sequence > ? ORDER BY sequence"].With(_lastRemoval);
            while (removals.Step())
            {
                _lastRemoval = removals.Integer(0);
                if (Funnel.SlotOf((int)removals.Integer(1)) is >= 0 and int slot)
                {
                    Funnel.Remove(slot);
                }
            }

            if (whole && watch["SELECT count(*) FROM items"].Scalar() is { } items && items != Funnel.Alive)
            {
                throw new InvalidDataException($"'{path}' is damaged: it has {items} items but the vectors of {Funnel.Alive}. Restore a copy, or embed the texts again with ReembedAsync.");
            }

            _generation = generation;
            return 0;
        });
        _dataVersion = version;
    }

    private void Load(SqliteSession watch, string path)
    {
        SqliteStatement rows = watch["SELECT key, data FROM coarse WHERE key > ? ORDER BY key"].With(_lastKey);
        while (rows.Step())
        {
            ReadOnlySpan<byte> data = rows.Blob(1);
            if (data.Length != SqliteBlobs.CoarseLength(model))
            {
                int found = data.Length;
                long key = rows.Integer(0);
                rows.Reset();
                throw new InvalidDataException($"'{path}' is damaged: the vector of item {key} has {found} bytes, expected {SqliteBlobs.CoarseLength(model)}. Restore a copy, or embed the texts again with ReembedAsync.");
            }

            _lastKey = rows.Integer(0);
            SqliteBlobs.Follow(Funnel, checked((int)_lastKey), data);
        }
    }
}
