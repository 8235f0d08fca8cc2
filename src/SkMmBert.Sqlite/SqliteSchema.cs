using System.Globalization;

namespace SkMmBert;

/// <summary>The tables of a memory file, their versions and the steps from one to the next.</summary>
internal static class SqliteSchema
{
    public const int ApplicationId = 0x534B4D42; // "SKMB"

    /// <summary>Step n brings a file from version n to n + 1. Steps never change; a new layout is a new step.</summary>
    public static readonly IReadOnlyList<Action<SqliteSession>> Steps = [First, MetadataPairs];

    /// <summary>Vector tables, apart from the items so that a model change can swap them whole; <c>{0}</c> is the suffix while they are being built.</summary>
    public static readonly string[] VectorTables =
    [
        "CREATE TABLE coarse{0}(key INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE middle{0}(key INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE full{0}(key INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    ];

    /// <summary>Creates the tables or brings an older file up to date, in one transaction.</summary>
    public static void Prepare(SqliteSession session, string path)
    {
        // Reading first keeps the common case free of the write lock.
        if (Version(session) == Steps.Count && session["PRAGMA application_id"].Scalar() == ApplicationId)
        {
            return;
        }

        session["PRAGMA journal_mode = WAL"].Run();
        session.Transaction(write: true, () =>
        {
            long version = Version(session), application = session["PRAGMA application_id"].Scalar() ?? 0;
            bool foreign = application != ApplicationId && (application != 0 || version != 0 || session["SELECT count(*) FROM sqlite_schema"].Scalar() > 0);
            if (foreign || version > Steps.Count)
            {
                throw new InvalidDataException(foreign
                    ? $"'{path}' is an SQLite file of another program. Expected a memory written by SkMmBert, or a new file name."
                    : $"'{path}' has the layout version {version}, but this SkMmBert knows versions up to {Steps.Count}. Use the newer SkMmBert that wrote it.");
            }

            for (int step = (int)version; step < Steps.Count; step++)
            {
                Steps[step](session);
            }

            session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Steps.Count}"));
            session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
            return 0;
        });
    }

    public static string? Meta(SqliteSession session, string name) => session["SELECT value FROM meta WHERE name = ?"].With(name).ScalarText();

    public static void SetMeta(SqliteSession session, string name, string value) =>
        session["INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value"].With(name, value).Run();

    private static long Version(SqliteSession session) => session["PRAGMA user_version"].Scalar() ?? 0;

    private static void First(SqliteSession session)
    {
        session.Execute("CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
        session.Execute("CREATE TABLE scopes(number INTEGER PRIMARY KEY, scope TEXT NOT NULL UNIQUE, application TEXT, agent TEXT, user TEXT, session TEXT)");

        // Keys only grow (AUTOINCREMENT), so that a reader finds what is new by the last key it knows.
        session.Execute(
            "CREATE TABLE items(key INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER NOT NULL, id TEXT NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL, " +
            "time INTEGER NOT NULL, source TEXT, text TEXT NOT NULL, metadata TEXT)");
        session.Execute("CREATE UNIQUE INDEX items_id ON items(id, scope, start)");
        session.Execute("CREATE INDEX items_scope ON items(scope)");
        session.Execute("CREATE INDEX items_source ON items(source) WHERE source IS NOT NULL");
        foreach (string table in VectorTables)
        {
            session.Execute(string.Format(CultureInfo.InvariantCulture, table, ""));
        }

        // The terms are cut by LexicalTerms, the same for every store; FTS5 only sees them joined by spaces and takes every character beyond ASCII as part of one.
        session.Execute("CREATE VIRTUAL TABLE words USING fts5(scope, text, content = '', contentless_delete = 1, tokenize = 'ascii')");
        session.Execute("CREATE VIRTUAL TABLE words_terms USING fts5vocab(words, col)");
        session.Execute("CREATE TABLE removals(sequence INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL)");
    }

    private static void MetadataPairs(SqliteSession session)
    {
        session.Execute("CREATE TABLE pairs(name TEXT NOT NULL, value TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY(name, value, key)) WITHOUT ROWID");
        session.Execute("INSERT INTO pairs SELECT p.key, p.value, i.key FROM items i, json_each(i.metadata) p WHERE i.metadata IS NOT NULL");
    }
}
