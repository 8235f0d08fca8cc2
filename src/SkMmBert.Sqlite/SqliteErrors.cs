using Microsoft.Data.Sqlite;

namespace SkMmBert;

/// <summary>Says in one line what SQLite's error codes mean for a memory and what to do.</summary>
internal static class SqliteErrors
{
    public static Exception Explain(SqliteException error, string path, int busyMilliseconds) => error.SqliteErrorCode switch
    {
        5 or 6 => new TimeoutException($"'{path}' was held by another process for {busyMilliseconds / 1000.0:0.#} s. Nothing of this call was written; repeat it, or raise BusyTimeout.", error),
        8 => new IOException($"'{path}' cannot be written: the file or its folder is read-only. Give this user write access to both (SQLite keeps a -wal and a -shm file beside it).", error),
        13 => new IOException($"There is no room left to write '{path}'. Nothing of this call was written; free some room and repeat it.", error),
        14 => new IOException($"'{path}' cannot be opened. Expected an existing, writable folder and a file this user may read and write.", error),
        11 => new InvalidDataException($"'{path}' is damaged ({error.Message.TrimEnd('.')}). Restore a copy, or salvage it with 'sqlite3 {path} .recover'.", error),
        26 => new InvalidDataException($"'{path}' is not an SQLite file. Expected a memory written by SkMmBert, or a new file name.", error),
        10 => new IOException($"Reading or writing '{path}' failed ({error.Message.TrimEnd('.')}). Nothing of this call was written; check the disk.", error),
        _ => new IOException($"SQLite refused work on '{path}': {error.Message.TrimEnd('.')}.", error),
    };
}
