using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace SkMmBert;

/// <summary>Gives an agent of Semantic Kernel the functions that its conversation needs now.</summary>
/// <remarks>
/// <para>Does what <c>ContextualFunctionProvider</c> does, without a vector store: the catalogue is embedded once and kept in the process, the number of
/// functions follows the question, none is given when none fits, and two functions of one name are no error. As there, functions come on top
/// of the kernel's own, and the agent needs <c>UseImmutableKernel = true</c>.</para>
/// <para>One provider serves one thread: it keeps that conversation's last messages. Thread-safe. A failing router gives all functions.</para>
/// </remarks>
/// <example><code>
/// ToolRouter router = new(embedder, functions);
/// ChatHistoryAgentThread thread = new() { AIContextProviders = { new RoutedFunctionProvider(router) } };
/// </code></example>
[Experimental("SKMMB001")]
public sealed class RoutedFunctionProvider : AIContextProvider
{
    private const int Kept = 20;

    private readonly ToolRouter _router;
    private readonly RoutedFunctionProviderOptions _options;
    private readonly Lock _lock = new();
    private readonly List<ChatMessage> _recent = [];

    /// <summary>Makes a provider.</summary>
    /// <param name="router">Chooses among the functions of its catalogue; stays the caller's.</param>
    /// <param name="options">What the choice goes by; <see langword="null"/> for the defaults.</param>
    public RoutedFunctionProvider(ToolRouter router, RoutedFunctionProviderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(router);
        _router = router;
        _options = options ?? new();
        _options.Validate();
    }

    /// <inheritdoc/>
    public override Task MessageAddingAsync(string? conversationId, ChatMessage newMessage, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newMessage);
        lock (_lock)
        {
            _recent.Add(newMessage);
            _recent.RemoveRange(0, Math.Max(0, _recent.Count - Kept - _options.RecentMessages));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task<AIContext> ModelInvokingAsync(ICollection<ChatMessage> newMessages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newMessages);
        ChatMessage[] recent, added = [.. newMessages];
        lock (_lock)
        {
            recent = [.. _recent.Except(added).TakeLast(_options.RecentMessages)];
        }

        RoutingDecision decision = _options.Question is { } question
            ? await _router.RouteAsync(await question(recent, added, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)
            : await _router.RouteAsync([.. recent, .. added], null, cancellationToken).ConfigureAwait(false);
        return new AIContext { AIFunctions = [.. decision.Tools.Select(tool => tool.Profile.Tool).OfType<AIFunction>()] };
    }
}
