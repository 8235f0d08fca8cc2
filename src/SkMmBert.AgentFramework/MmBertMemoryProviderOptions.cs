using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>How an agent uses its memory.</summary>
/// <remarks>Immutable and thread-safe; the functions given must be so too.</remarks>
public sealed record MmBertMemoryProviderOptions
{
    /// <summary>Who decides when the memory is read and written.</summary>
    /// <value>The default is <see cref="MmBertMemoryMode.Automatic"/>.</value>
    public MmBertMemoryMode Mode { get; init; } = MmBertMemoryMode.Automatic;

    /// <summary>How recalls search. Its scope is not used: the host's function gives it.</summary>
    /// <value>The default is that of <see cref="RecallOptions"/>: the five best, above the memory's floor.</value>
    public RecallOptions Recall { get; init; } = new();

    /// <summary>Most characters of the quotations that one run adds to the prompt; evidence that does not fit whole is left out.</summary>
    /// <value>The default is 4,000.</value>
    public int MaximumCharacters { get; init; } = 4_000;

    /// <summary>Which messages of a run are remembered. Only messages with text are asked about.</summary>
    /// <value>The default is <see langword="null"/>: those of the user and of the assistant.</value>
    public Func<ChatMessage, bool>? Remembers { get; init; }

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
        ArgumentException.ThrowIfNullOrWhiteSpace(StateKey);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumCharacters, 1);
    }
}

/// <summary>Who decides when an agent's memory is read and written.</summary>
public enum MmBertMemoryMode
{
    /// <summary>Each run: what is relevant to the question is quoted before it, what was said is stored after it.</summary>
    Automatic,

    /// <summary>The model, with the functions <c>recall</c>, <c>remember</c> and <c>forget</c>; nothing else is read or stored.</summary>
    OnDemand,
}
