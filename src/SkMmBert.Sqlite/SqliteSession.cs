using Microsoft.Data.Sqlite;

namespace SkMmBert;

/// <summary>One connection with its prepared statements. Used by one call at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteStatement> _statements = [];

    static SqliteSession() => SQLitePCL.Batteries_V2.Init();

    public SqliteSession(string path, bool create, int busyMilliseconds)
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
