using System.Net.Sockets;
using Npgsql;

namespace SkMmBert;

/// <summary>Runs work on connections of a pool: again when the server was away or chose it as a deadlock's victim, and with words when it gives up.</summary>
internal sealed class PostgresServer(NpgsqlDataSource source, PostgresMemoryOptions options, string name)
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    /// <summary>Runs reads, or one statement: without a transaction around it.</summary>
    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RepeatAsync(options.Reads ?? source, work, cancellationToken);

    /// <summary>Runs work in one transaction on the writable server: all of it or none.</summary>
    public Task<T> WriteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => RepeatAsync(source, async (connection, token) =>
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            T result = await work(connection, token).ConfigureAwait(false);
            // Past this point a cancelled call could no longer say whether it wrote.
            token.ThrowIfCancellationRequested();
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            return result;
        }
    }, cancellationToken);

    /// <summary>Runs work on a connection of the writable server that is kept for it, without a transaction and without repeats.</summary>
    public async Task<T> OnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false)) return await work(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw Explain(e, 1) ?? e;
        }
    }

    private async Task<T> RepeatAsync<T>(NpgsqlDataSource from, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        long start = options.TimeProvider.GetTimestamp();
        TimeSpan delay = options.RetryDelay;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                NpgsqlConnection connection = await from.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false)) return await work(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (NpgsqlException e) when (!cancellationToken.IsCancellationRequested)
            {
                if (!IsPassing(e) || options.TimeProvider.GetElapsedTime(start) + delay > options.RetryFor)
                {
                    if (Explain(e, attempt) is { } explained) throw explained;
                    throw;
                }
            }

            await Task.Delay(delay, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    // Connection trouble, shutdown and start-up, too many connections, serialization failure and deadlock.
    private static bool IsPassing(NpgsqlException e) => e is PostgresException p
        ? p.SqlState is "40001" or "40P01" or "57P01" or "57P02" or "57P03" or "53300" || p.SqlState.StartsWith("08", StringComparison.Ordinal)
        : e.IsTransient || e.InnerException is IOException or SocketException or EndOfStreamException;

    private Exception? Explain(NpgsqlException e, int attempts) => e is not PostgresException p
        ? new IOException($"The memory '{name}' cannot be reached after {attempts} attempt{(attempts == 1 ? "" : "s")}: {Inner(e)}. Check that the PostgreSQL server runs and the connection string is right.", e)
        : p.SqlState switch
        {
            "28P01" or "28000" => new UnauthorizedAccessException($"The memory '{name}' refuses the login: {p.MessageText}. Check user and password in the connection string.", e),
            "3D000" => new IOException($"The memory '{name}' has no such database: {p.MessageText}. Create it, or correct the connection string.", e),
            "42501" => new UnauthorizedAccessException($"The memory '{name}' forbids it: {p.MessageText}. Grant the role the rights listed in docs/postgres.md.", e),
            "25006" => new IOException($"The memory '{name}' is on a read-only server. Writes need the primary; give a replica in PostgresMemoryOptions.Reads instead.", e),
            "53100" => new IOException($"The disk of the memory '{name}' is full: {p.MessageText}. Nothing of this call was written.", e),
            _ when IsPassing(p) => new IOException($"The memory '{name}' failed {attempts} times: {p.MessageText}. Check the server.", e),
            _ => null,
        };

    private static string Inner(Exception e) => (e.InnerException ?? e).Message.TrimEnd('.');
}
