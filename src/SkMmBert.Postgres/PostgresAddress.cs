using Npgsql;

namespace SkMmBert;

/// <summary>Reads <c>postgres://user:password@host:port/database?key=value</c>, which Npgsql does not, besides its own connection strings.</summary>
internal static class PostgresAddress
{
    public static (NpgsqlDataSource Source, PostgresMemoryOptions Options) Parse(string connection, PostgresMemoryOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connection);
        if (connection.StartsWith("postgres://", StringComparison.Ordinal) || connection.StartsWith("postgresql://", StringComparison.Ordinal))
        {
            (connection, string? schema) = ToConnectionString(connection);
            if (schema is not null) options = options with { Schema = schema };
        }

        options.Validate();
        return (NpgsqlDataSource.Create(connection), options);
    }

    private static (string ConnectionString, string? Schema) ToConnectionString(string text)
    {
        // The text may hold a password: it stands in no message.
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || address.Host.Length == 0)
            throw new ArgumentException("The PostgreSQL address cannot be read. Expected postgres://user:password@host:port/database?schema=name, with reserved characters percent-encoded.");
        NpgsqlConnectionStringBuilder builder = new() { Host = Uri.UnescapeDataString(address.Host) };
        if (address.Port > 0) builder.Port = address.Port;
        if (address.AbsolutePath.Length > 1) builder.Database = Uri.UnescapeDataString(address.AbsolutePath[1..]);
        string[] login = address.UserInfo.Split(':', 2);
        if (login[0].Length > 0) builder.Username = Uri.UnescapeDataString(login[0]);
        if (login.Length > 1) builder.Password = Uri.UnescapeDataString(login[1]);
        string? schema = null;
        foreach (string pair in address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            string key = Uri.UnescapeDataString(parts[0]), value = parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "";
            if (key == "schema") schema = value;
            else builder[key == "sslmode" ? "SSL Mode" : key] = value;
        }

        return (builder.ConnectionString, schema);
    }
}
