using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>How an agent uses its memory.</summary>
/// <remarks>Immutable and thread-safe; the functions given must be so too.</remarks>
public sealed record MmBertMemoryProviderOptions
{
    /// <summary>Whether the model itself reads and writes the memory, with the functions <c>recall</c>, <c>remember</c> and <c>forget</c>; nothing else is read or stored then.</summary>
    /// <value>The default is <see langword="false"/>: each run is reminded before it and remembered after it.</value>
    public bool OnDemand { get; init; }

    /// <summary>How recalls search. Its scope is not used: the host's function gives it.</summary>
    /// <value>The default is the three best, above the memory's floor.</value>
    public RecallOptions Recall { get; init; } = new() { Top = 3 };

    /// <summary>Most characters of the quotations that one run adds to the prompt; evidence that does not fit whole is left out.</summary>
    /// <value>The default is 4,000.</value>
    public int MaximumCharacters { get; init; } = 4_000;

    /// <summary>Which messages of a run are remembered. Only messages with text are asked about.</summary>
    /// <value>The default is those of the user: an answer that was wrong is then not quoted as a fact later.</value>
    public Func<ChatMessage, bool> Remember { get; init; } = message => message.Role == ChatRole.User;

    /// <summary>Rewrites each text before it is stored, such as to take out names and numbers; a text that becomes empty is not stored.</summary>
    /// <value>The default is <see langword="null"/>: texts are stored as they are.</value>
    public Func<string, string?>? Redact { get; init; }

    /// <summary>Whether each session keeps its items to itself: an id from the session's state becomes the session part of the scope, where the host names none.</summary>
    /// <value>The default is <see langword="null"/>: when the host gives no scope.</value>
    public bool? FenceSessions { get; init; }

    /// <summary>The key of the provider's state in a session. Two memories of one agent need two keys.</summary>
    /// <value>The default is <c>MmBertMemoryProvider</c>.</value>
    public string StateKey { get; init; } = nameof(MmBertMemoryProvider);

    /// <summary>Told when the memory failed and the agent went on without it.</summary>
    /// <value>The default is <see langword="null"/>: the exception is only added to the current activity.</value>
    public Action<Exception>? OnError { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Recall);
        ArgumentNullException.ThrowIfNull(Remember);
        ArgumentException.ThrowIfNullOrWhiteSpace(StateKey);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumCharacters, 1);
    }
}
