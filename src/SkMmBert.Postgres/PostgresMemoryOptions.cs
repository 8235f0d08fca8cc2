using System.Text.RegularExpressions;
using Npgsql;

namespace SkMmBert;

/// <summary>How a <see cref="PostgresMemoryStore"/> lies in its database and how patient it is.</summary>
public sealed partial record PostgresMemoryOptions
{
    /// <summary>The schema that holds the store's tables; several stores may lie side by side in one database.</summary>
    /// <value>The default is <c>skmmbert</c>.</value>
    public string Schema { get; init; } = "skmmbert";

    /// <summary>Where searches, lists, counts and samples are read from, such as the read replicas of a multi-host data source. Not disposed by the store.</summary>
    /// <value>The default is <see langword="null"/>: the same server as writes.</value>
    /// <remarks>A replica lags: what was just written may not be found there yet.</remarks>
    public NpgsqlDataSource? Reads { get; init; }

    /// <summary>Visible items from which a search starts at the HNSW index; below, every visible item is looked at, which is exact and faster.</summary>
    /// <value>The default is 20,000.</value>
    public int IndexFrom { get; init; } = 20_000;

    /// <summary>Number of hash partitions, by scope, of a store that does not exist yet. An existing store keeps its own.</summary>
    /// <value>The default is 0: one table.</value>
    public int Partitions { get; init; }

    /// <summary>How long a call goes on trying while the server is away, restarting, or resolving a deadlock.</summary>
    /// <value>The default is 30 seconds.</value>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Wait before the first repeat; doubled for each further one, up to two seconds.</summary>
    /// <value>The default is 50 milliseconds.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The clock of waits.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Items the HNSW index may look at for one search before the search gives up on it.</summary>
    internal int IndexScan { get; init; } = 40_000;

    /// <summary>Items that words may find before they are ranked, at least; rarer words find first.</summary>
    internal int WordHits { get; init; } = 5_000;

    internal void Validate()
    {
        // The name stands in statements as it is.
        if (!SchemaPattern().IsMatch(Schema))
            throw new ArgumentException($"The schema name '{Schema}' is not usable. Expected lower-case letters, digits and underscores, starting with a letter, at most 40.", nameof(Schema));
        ArgumentOutOfRangeException.ThrowIfNegative(IndexFrom);
        ArgumentOutOfRangeException.ThrowIfNegative(Partitions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Partitions, 1_024);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryFor, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);
    }

    [GeneratedRegex(@"^[a-z][a-z0-9_]{0,39}\z")]
    private static partial Regex SchemaPattern();
}
