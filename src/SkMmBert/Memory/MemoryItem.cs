using System.Collections.ObjectModel;

namespace SkMmBert;

/// <summary>One thing remembered: a text with where it came from, whose it is and when it was written.</summary>
/// <remarks>
/// <para>An app fills in <see cref="Text"/> and what else it knows; <see cref="AgentMemory"/> cuts long texts into several items with the same
/// <see cref="Id"/> and different ranges, and adds the vectors. Within a scope, <see cref="Id"/> and <see cref="Start"/> name one stored item.</para>
/// <para>Thread-safe (immutable).</para>
/// </remarks>
public sealed record MemoryItem
{
    /// <summary>Identifies the text within its scope; remembering the same id again replaces all of its chunks.</summary>
    /// <value>The default is empty: an id is made from scope, source and text.</value>
    public string Id { get; init; } = "";

    /// <summary>The text; when stored, the slice <c>Start..End</c> of what was given.</summary>
    public required string Text { get; init; }

    /// <summary>Where the text came from, such as a file, a URL or a conversation turn.</summary>
    public string? Source { get; init; }

    /// <summary>First UTF-16 unit of the text within what was given.</summary>
    public int Start { get; init; }

    /// <summary>UTF-16 unit after the last within what was given.</summary>
    public int End { get; init; }

    /// <summary>What the app attached; searches can filter by it.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Whose the item is; <see langword="null"/> until <see cref="AgentMemory"/> gives it the scope of its options.</summary>
    public MemoryScope? Scope { get; init; }

    /// <summary>When it was written; <see langword="null"/> until <see cref="AgentMemory"/> gives it the present time.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>The full vector, of length 1; empty until <see cref="AgentMemory"/> has embedded the text.</summary>
    public ReadOnlyMemory<float> Vector { get; init; }

    /// <summary>Reads an item from a line of JSON: <c>{"id"?,"text","source"?,"start"?,"end"?,"scope"?,"time"?,"metadata"?}</c>, where scope is a text such as <c>user=ada</c> or an object.</summary>
    /// <param name="json">The line.</param>
    /// <exception cref="FormatException">It is not such an object; the message says what was found.</exception>
    public static MemoryItem FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return MemoryJson.Read(json);
    }

    /// <summary>Writes the item, without its vector, as one line that <see cref="FromJson"/> reads back.</summary>
    public string ToJson() => MemoryJson.Write(this);

    /// <summary>The same fields and the same metadata; vectors are not compared, because they follow from the text.</summary>
    /// <param name="other">The other item.</param>
    public bool Equals(MemoryItem? other) =>
        other is not null && Id == other.Id && Text == other.Text && Source == other.Source && Start == other.Start && End == other.End &&
        Scope == other.Scope && Time == other.Time && Metadata.Count == other.Metadata.Count &&
        Metadata.All(pair => other.Metadata.TryGetValue(pair.Key, out string? value) && value == pair.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Text, Source, Start, End, Scope, Time);
}
