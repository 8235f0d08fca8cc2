namespace SkMmBert;

/// <summary>Which items a verb is about: every condition that is set must hold.</summary>
public sealed record MemoryFilter
{
    /// <summary>The filter without conditions: all items of all scopes.</summary>
    public static MemoryFilter All { get; } = new();

    /// <summary>Only items with one of these ids (all of their chunks).</summary>
    public IReadOnlyCollection<string>? Ids { get; init; }

    /// <summary>Only items of this source.</summary>
    public string? Source { get; init; }

    /// <summary>Only items of this scope or of scopes inside it (see <see cref="MemoryScope.Contains"/>).</summary>
    public MemoryScope? Scope { get; init; }

    /// <summary>Only items written at this time or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only items written before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only items whose metadata has each of these pairs.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether an item meets every condition.</summary>
    /// <param name="item">A stored item.</param>
    public bool Matches(MemoryItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return (Ids is null || Ids.Contains(item.Id)) && (Source is null || Source == item.Source) &&
            (Scope is null || Scope.Contains(item.Scope ?? MemoryScope.Shared)) &&
            (From is null || item.Time >= From) && (To is null || item.Time < To) && HasPairs(item.Metadata, Metadata);
    }

    internal static bool HasPairs(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, string>? pairs)
    {
        if (pairs is not null)
        {
            foreach ((string key, string value) in pairs)
            {
                if (!metadata.TryGetValue(key, out string? found) || found != value)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
