using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What an agent is reminded of, and what of its conversation is kept.</summary>
[Experimental("SKMMB001")]
public sealed record MemoryContextProviderOptions
{
    /// <summary>Whose items these are; set by the host, never by the model.</summary>
    public required MemoryScope Scope { get; init; }

    /// <summary>How recalling is done; its scope is replaced by <see cref="Scope"/>.</summary>
    /// <value>The default recalls at most 3 items.</value>
    public RecallOptions Recall { get; init; } = new() { Top = 3 };

    /// <summary>Which messages are remembered.</summary>
    /// <value>The default is those of the user.</value>
    public Func<ChatMessage, bool> Remember { get; init; } = message => message.Role == ChatRole.User;

    /// <summary>Changes a text before it is remembered, such as to take out what is private; <see langword="null"/> from it keeps the text out.</summary>
    /// <value>The default is <see langword="null"/>: texts are kept as they are.</value>
    public Func<string, string?>? Redact { get; init; }

    /// <summary>Whether the agent recalls for itself, with the functions remember, recall and forget, in place of being reminded before each turn.</summary>
    /// <value>The default is <see langword="false"/>.</value>
    public bool OnDemand { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Scope);
        ArgumentNullException.ThrowIfNull(Recall);
        ArgumentNullException.ThrowIfNull(Remember);
    }
}
