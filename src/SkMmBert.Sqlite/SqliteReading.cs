namespace SkMmBert;

/// <summary>Reads that are no search: pages of a listing, samples, and the look for damage.</summary>
internal static class SqliteReading
{
    public const int PageItems = 500;

    /// <summary>The items after a key, oldest write first.</summary>
    public static List<(long Key, MemoryItem Item)> Page(SqliteSession session, string where, object?[] values, long after)
    {
        SqliteStatement rows = session[$"SELECT {SqliteItems.Columns}, f.data {SqliteItems.From} JOIN full f ON f.key = i.key WHERE {where} AND i.key > ? ORDER BY i.key LIMIT {PageItems}"].With([.. values, after]);
        List<(long, MemoryItem)> page = [];
        while (rows.Step())
        {
            float[] vector = new float[rows.Blob(9).Length / 2];
            SqliteBlobs.ReadFull(rows.Blob(9), vector);
            page.Add((rows.Integer(0), SqliteItems.Read(rows) with { Vector = vector }));
        }

        return page;
    }

    /// <summary>Items at even steps over the file, or over some scopes.</summary>
    public static List<MemoryItem> Sample(SqliteSession session, int count, IReadOnlyList<MemoryScope>? scopes, int items)
    {
        List<long> keys = [];
        if (scopes is null && items > count)
        {
            // At even steps between the first key and the last: no pass over a million items for a few hundred.
            (long first, long last) = (session["SELECT min(key) FROM items"].Scalar() ?? 0, session["SELECT max(key) FROM items"].Scalar() ?? 0);
            for (int i = 0; i < count; i++)
            {
                Keys(session["SELECT key FROM items WHERE key >= ? ORDER BY key LIMIT 1"].With(first + ((last - first + 1) * i / count)), keys);
            }

            return [.. keys.Distinct().SelectMany(key => One(session, key))];
        }

        foreach (MemoryScope? scope in scopes ?? [null!])
        {
            Keys(scope is null ? session["SELECT key FROM items ORDER BY key"] : session["SELECT key FROM items WHERE scope = (SELECT number FROM scopes WHERE scope = ?) ORDER BY key"].With(scope.ToString()), keys);
        }

        keys.Sort();
        int taken = Math.Min(Math.Max(0, count), keys.Count);
        return [.. Enumerable.Range(0, taken).SelectMany(i => One(session, keys[(int)((long)i * keys.Count / taken)]))];
    }

    /// <summary>One line for each problem of the file.</summary>
    public static List<string> Problems(SqliteSession session)
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
    }

    /// <summary>Adds the keys a statement gives.</summary>
    public static void Keys(SqliteStatement rows, List<long> keys)
    {
        while (rows.Step())
        {
            keys.Add(rows.Integer(0));
        }
    }

    private static IEnumerable<MemoryItem> One(SqliteSession session, long key) => Page(session, "i.key = ?", [key], 0).Select(pair => pair.Item);
}
