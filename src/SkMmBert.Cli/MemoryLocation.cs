namespace SkMmBert.Cli;

/// <summary>Opens the store of a path or an address.</summary>
internal static class MemoryLocation
{
    /// <summary>A SQLite file, or PostgreSQL for an address (<c>postgres://…</c>) or a connection string (<c>Host=…</c>).</summary>
    /// <param name="where">What <c>--store</c> says.</param>
    /// <param name="create">Whether a file that is not there is made.</param>
    public static MemoryStore Open(string where, bool create)
    {
        if (where.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || where.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
            || where.Contains("Host=", StringComparison.OrdinalIgnoreCase) || where.Contains("Server=", StringComparison.OrdinalIgnoreCase))
        {
            try
            {
                return new PostgresMemoryStore(where);
            }
            catch (ArgumentException error)
            {
                throw new InputException(Models.OfTheCommandLine(error.Message));
            }
        }

        if (where.Contains("://", StringComparison.Ordinal))
        {
            throw new InputException($"--store is '{where}'. Expected: the path of a file, postgres://… or a connection string with Host=.");
        }

        if (Directory.Exists(where))
        {
            throw new InputException($"'{where}' is a folder. Expected: the path of a file.");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(where)) is { } folder && !Directory.Exists(folder))
        {
            throw new InputException($"There is no folder '{folder}'. Make it first, or give another --store.");
        }

        return create || File.Exists(where)
            ? new SqliteMemoryStore(where)
            : throw new InputException($"There is no memory '{where}'. Expected: a file that 'skmmbert memory add' wrote, or a postgres://… address.");
    }
}
