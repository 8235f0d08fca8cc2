using Microsoft.Data.Sqlite;

namespace SkMmBert;

/// <summary>One connection with its prepared statements. Used by one call at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteStatement> _statements = [];
    private readonly Dictionary<string, SqliteStatement> _puts = [];

    static SqliteSession() => SQLitePCL.Batteries_V2.Init();

    /// <param name="path">The file.</param>
    /// <param name="create">Whether to create it when it is not there.</param>
    /// <param name="busyMilliseconds">How long to wait for another process that writes.</param>
    /// <param name="cacheKibibytes">Pages kept in memory; 0 for SQLite's own choice of 2,000.</param>
    public SqliteSession(string path, bool create, int busyMilliseconds, int cacheKibibytes = 0)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = create ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = Math.Max(1, busyMilliseconds / 1_000),
        }.ToString());
        _connection.Open();
        Execute($"PRAGMA busy_timeout = {busyMilliseconds}");
        if (cacheKibibytes > 0)
        {
            Execute($"PRAGMA cache_size = -{cacheKibibytes}");
        }
    }

    /// <summary>Prepared once, then reused.</summary>
    public SqliteStatement this[string sql]
    {
        get
        {
            if (!_statements.TryGetValue(sql, out SqliteStatement? statement))
            {
                _statements[sql] = statement = new SqliteStatement(_connection.Handle!, sql);
            }

            return statement;
        }
    }

    /// <summary>The statement that puts a key and its bytes into one of the vector tables.</summary>
    public SqliteStatement Put(string table)
    {
        // Found by the table's name: no text is put together for each of many rows.
        if (!_puts.TryGetValue(table, out SqliteStatement? statement))
        {
            _puts[table] = statement = this[$"INSERT OR REPLACE INTO {table} VALUES(?, ?)"];
        }

        return statement;
    }

    public void Execute(string sql)
    {
        using SqliteStatement statement = new(_connection.Handle!, sql);
        statement.Run();
    }

    /// <summary>Runs work between BEGIN and COMMIT; any error rolls all of it back.</summary>
    public T Transaction<T>(bool write, Func<T> work)
    {
        // IMMEDIATE takes the write lock at once, so that a writer waits for another at the start and never half way.
        this[write ? "BEGIN IMMEDIATE" : "BEGIN"].Run();
        try
        {
            T result = work();
            this["COMMIT"].Run();
            return result;
        }
        catch
        {
            foreach (SqliteStatement statement in _statements.Values)
            {
                statement.Reset();
            }

            // A full disk or a broken page may have ended the transaction already.
            if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle!) == 0)
            {
                Execute("ROLLBACK");
            }

            throw;
        }
    }

    public void Dispose()
    {
        foreach (SqliteStatement statement in _statements.Values)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }
}
