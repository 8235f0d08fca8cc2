using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What an agent's functions are chosen by.</summary>
[Experimental("SKMMB001")]
public sealed record RoutedFunctionProviderOptions
{
    /// <summary>Messages before the new ones that are looked at too.</summary>
    /// <value>The default is 2.</value>
    public int RecentMessages { get; init; } = 2;

    /// <summary>Makes the question from the recent and the new messages.</summary>
    /// <value>The default is <see langword="null"/>: the last user turn, coloured by earlier ones; functions called or named in the messages stay.</value>
    public Func<IReadOnlyList<ChatMessage>, IReadOnlyList<ChatMessage>, CancellationToken, Task<string>>? Question { get; init; }

    internal void Validate() => ArgumentOutOfRangeException.ThrowIfNegative(RecentMessages);
}
