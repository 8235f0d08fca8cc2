using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SemanticKernel;

namespace SkMmBert;

/// <summary>Reminds an agent of Semantic Kernel of what was said before, and remembers what is said now.</summary>
/// <remarks>
/// <para>Before a turn the new messages are the question; what is recalled goes into the instructions as quotations (see <see cref="EvidenceFormatter"/>).
/// When nothing is relevant nothing is added. Messages are remembered when they are added to the thread, so the turn's own message is already
/// known when recalling: an item equal to one of the new messages is left out.</para>
/// <para>Fails open: without its memory the agent goes on, with a warning in the log that holds no text of the conversation. Thread-safe. Does not dispose the memory.</para>
/// </remarks>
/// <example><code>
/// ChatHistoryAgentThread thread = new() { AIContextProviders = { new MemoryContextProvider(memory, new() { Scope = new() { User = "ada" } }) } };
/// </code></example>
[Experimental("SKMMB001")]
public sealed partial class MemoryContextProvider : AIContextProvider
{
    private readonly AgentMemory _memory;
    private readonly MemoryContextProviderOptions _options;
    private readonly ILogger _logger;
    private readonly KernelPlugin? _plugin;

    /// <summary>Makes a provider.</summary>
    /// <param name="memory">The memory; stays the caller's.</param>
    /// <param name="options">Scope and manner.</param>
    /// <param name="loggerFactory">Where warnings go; <see langword="null"/> for nowhere.</param>
    public MemoryContextProvider(AgentMemory memory, MemoryContextProviderOptions options, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_memory, _options) = (memory, options);
        _logger = loggerFactory?.CreateLogger("SkMmBert.SemanticKernel") ?? NullLogger.Instance;
        _plugin = options.OnDemand ? new MmBertMemoryPlugin(memory, options.Scope).ToKernelPlugin() : null;
    }

    /// <inheritdoc/>
    public override async Task MessageAddingAsync(string? conversationId, ChatMessage newMessage, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newMessage);
        string? text = _options.Remember(newMessage) && !string.IsNullOrWhiteSpace(newMessage.Text) ? _options.Redact is { } redact ? redact(newMessage.Text) : newMessage.Text : null;
        if (string.IsNullOrWhiteSpace(text))
        {
            return;
        }

        try
        {
            await _memory.RememberAsync(text, conversationId, _options.Scope, null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(_logger, "remembered", error.GetType().Name);
        }
    }

    /// <inheritdoc/>
    public override async Task<AIContext> ModelInvokingAsync(ICollection<ChatMessage> newMessages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newMessages);
        if (_plugin is not null)
        {
            return new AIContext { AIFunctions = [.. _plugin.Select(function => function.Clone(_plugin.Name))] };
        }

        string[] texts = [.. newMessages.Where(message => message.Role == ChatRole.User && !string.IsNullOrWhiteSpace(message.Text)).Select(message => message.Text)];
        if (texts.Length == 0)
        {
            return new AIContext();
        }

        try
        {
            // One more for each new message, which may find itself.
            RecallOptions recall = _options.Recall with { Scope = _options.Scope, Top = _options.Recall.Top + texts.Length };
            IReadOnlyList<Evidence> found = await _memory.RecallAsync(string.Join('\n', texts), recall, cancellationToken).ConfigureAwait(false);
            string quoted = EvidenceFormatter.Format([.. found.Where(evidence => !texts.Any(text => text.Contains(evidence.Text, StringComparison.Ordinal))).Take(_options.Recall.Top)]);
            return new AIContext { Instructions = quoted.Length > 0 ? quoted : null };
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(_logger, "recalled", error.GetType().Name);
            return new AIContext();
        }
    }

    [LoggerMessage(3, LogLevel.Warning, "Nothing could be {Done} for the agent ({Error}); it goes on without.")]
    private static partial void Failed(ILogger logger, string done, string error);
}
