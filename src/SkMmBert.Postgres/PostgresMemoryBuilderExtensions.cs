using Npgsql;
using SkMmBert;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps the memory of a host in PostgreSQL.</summary>
public static class PostgresMemoryBuilderExtensions
{
    /// <summary>Keeps items in a PostgreSQL database with pgvector; the container closes the connections.</summary>
    /// <param name="memory">The memory that is being added.</param>
    /// <param name="connection">A connection string or a <c>postgres://</c> address.</param>
    /// <param name="options">Schema, partitions, patience; <see langword="null"/> for the defaults with the container's clock.</param>
    /// <example><code>
    /// services.AddMmBert().AddMemory(m => m.UsePostgres(configuration.GetConnectionString("agents")!));
    /// </code></example>
    public static MmBertMemoryBuilder UsePostgres(this MmBertMemoryBuilder memory, string connection, PostgresMemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentException.ThrowIfNullOrEmpty(connection);
        return memory.UseStore(services => new PostgresMemoryStore(connection, options ?? Clocked(services)));
    }

    /// <summary>Keeps items in PostgreSQL through the <see cref="NpgsqlDataSource"/> that is among the services.</summary>
    /// <param name="memory">The memory that is being added.</param>
    /// <param name="options">Schema, partitions, patience; <see langword="null"/> for the defaults with the container's clock.</param>
    public static MmBertMemoryBuilder UsePostgres(this MmBertMemoryBuilder memory, PostgresMemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        return memory.UseStore(services => new PostgresMemoryStore(services.GetRequiredService<NpgsqlDataSource>(), options ?? Clocked(services)));
    }

    private static PostgresMemoryOptions Clocked(IServiceProvider services) => new() { TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System };
}
