namespace SkMmBert;

/// <summary>Fences items off by application, agent, user and session.</summary>
/// <remarks>
/// <para>A search sees an item when every part <em>the item</em> names equals the same part of the searching scope. So what is written
/// for a user is seen from each of that user's sessions, what is written without a scope is seen by all, and a search that forgets to
/// name a user sees nobody's items.</para>
/// <para>Thread-safe (immutable). An empty part counts as not named.</para>
/// </remarks>
/// <example><code>
/// MemoryScope ada = new() { User = "ada" };
/// MemoryScope adaToday = ada with { Session = "2026-11-21" };
/// bool seen = adaToday.Sees(ada);      // true: her sessions share what she told before
/// bool leak = ada.Sees(adaToday);      // false: a session keeps its own
/// bool inside = ada.Contains(adaToday);// true: forgetting ada forgets her sessions too
/// </code></example>
public sealed record MemoryScope
{
    private static readonly string[] PartNames = ["application", "agent", "user", "session"];

    /// <summary>The scope that names nothing: items every scope sees.</summary>
    public static MemoryScope Shared { get; } = new();

    /// <summary>The application, or tenant.</summary>
    public string? Application { get; init => field = NullIfEmpty(value); }

    /// <summary>The agent within the application.</summary>
    public string? Agent { get; init => field = NullIfEmpty(value); }

    /// <summary>The person the agent works for.</summary>
    public string? User { get; init => field = NullIfEmpty(value); }

    /// <summary>One conversation.</summary>
    public string? Session { get; init => field = NullIfEmpty(value); }

    /// <summary>Whether a search from this scope may return an item of the given scope.</summary>
    /// <param name="item">The scope the item was written in.</param>
    public bool Sees(MemoryScope item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Contains(this);
    }

    /// <summary>Whether the given scope is this one or lies inside it: everything this scope names is named the same there.</summary>
    /// <param name="inner">The scope that may lie inside.</param>
    public bool Contains(MemoryScope inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return (Application is null || Application == inner.Application) && (Agent is null || Agent == inner.Agent) &&
            (User is null || User == inner.User) && (Session is null || Session == inner.Session);
    }

    /// <summary>Lists every scope whose items a search from this scope may return: at most 16, itself first, <see cref="Shared"/> last.</summary>
    public IReadOnlyList<MemoryScope> Visible()
    {
        List<MemoryScope> scopes = [];
        for (int dropped = 0; dropped < 16; dropped++)
        {
            MemoryScope scope = new()
            {
                Application = (dropped & 8) == 0 ? Application : null,
                Agent = (dropped & 4) == 0 ? Agent : null,
                User = (dropped & 2) == 0 ? User : null,
                Session = (dropped & 1) == 0 ? Session : null,
            };
            if (!scopes.Contains(scope))
            {
                scopes.Add(scope);
            }
        }

        return scopes;
    }

    /// <summary>Writes the scope as text that <see cref="Parse"/> reads back, such as <c>user=ada;session=7</c>; <see cref="Shared"/> is the empty text.</summary>
    public override string ToString()
    {
        string?[] parts = [Application, Agent, User, Session];
        return string.Join(';', Enumerable.Range(0, 4).Where(i => parts[i] is not null).Select(i => $"{PartNames[i]}={Uri.EscapeDataString(parts[i]!)}"));
    }

    /// <summary>Reads a scope from text: <c>user=ada;session=7</c>, or one plain word, which names the user.</summary>
    /// <param name="text">The text; empty for <see cref="Shared"/>. Values are percent-encoded where they hold <c>;</c>, <c>=</c> or <c>%</c>.</param>
    /// <exception cref="FormatException">A part is not application, agent, user or session, or is named twice.</exception>
    public static MemoryScope Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains('='))
        {
            return new() { User = Uri.UnescapeDataString(text) };
        }

        string?[] parts = new string?[4];
        foreach (string pair in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = pair.IndexOf('=');
            int part = Array.IndexOf(PartNames, equals < 0 ? pair : pair[..equals].Trim().ToLowerInvariant());
            if (part < 0 || equals < 0 || parts[part] is not null)
            {
                throw new FormatException(
                    $"The scope '{text}' has '{pair}'. Expected each of application=, agent=, user=, session= at most once, separated by ';', such as 'user=ada;session=7'.");
            }

            parts[part] = Uri.UnescapeDataString(pair[(equals + 1)..].Trim());
        }

        return new() { Application = parts[0], Agent = parts[1], User = parts[2], Session = parts[3] };
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
