using System.Diagnostics;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Gives an agent a memory: before a run it quotes what is relevant, after the run it stores what was said.</summary>
/// <remarks>
/// <para>A run costs one recall (one text embedded) and one write of the new messages. What the conversation already says is not quoted again,
/// so the prompt only grows at its end. Quotations are a user message written by <see cref="EvidenceFormatter"/>, marked as data; a store that
/// others can write to can still try to instruct the model.</para>
/// <para>The scope comes from the host's function, asked with each run: never from the model, and never from a session's serialised state, of
/// which only a generated id and a counter are used. A run that failed stores nothing. A memory or reranker that fails leaves the agent
/// without quotations, or the items unstored, and is reported to <see cref="MmBertMemoryProviderOptions.OnError"/>.</para>
/// <para>Thread-safe; one provider serves all sessions of an agent. Does not dispose the memory.</para>
/// </remarks>
/// <example><code>
/// MmBertMemoryProvider memory = new(agentMemory, session => new MemoryScope { User = currentUser.Id });
/// AIAgent agent = new ChatClientAgent(chat, new ChatClientAgentOptions { AIContextProviders = [memory] });
/// await agent.RunAsync("I prefer trains to planes.", await agent.CreateSessionAsync());
/// await agent.RunAsync("How do I like to travel?", await agent.CreateSessionAsync());   // the model reads: "I prefer trains to planes."
/// </code></example>
public sealed class MmBertMemoryProvider : AIContextProvider
{
    // What the conversation holds already is dropped from what was found, so more is asked for.
    private const int Spare = 4;

    private readonly AgentMemory _memory;
    private readonly Func<AgentSession?, MemoryScope>? _scope;
    private readonly MmBertMemoryProviderOptions _options;
    private readonly ProviderSessionState<MemorySession> _sessions;

    /// <summary>Puts a memory beside an agent.</summary>
    /// <param name="memory">Where items are; stays the caller's.</param>
    /// <param name="scope">Whose memory a session uses; <see langword="null"/> fences each session off by itself.</param>
    /// <param name="options">When and how; <see langword="null"/> for the defaults.</param>
    public MmBertMemoryProvider(AgentMemory memory, Func<AgentSession?, MemoryScope>? scope = null, MmBertMemoryProviderOptions? options = null)
        : base(provideInputMessageFilter: messages => messages)     // all of them: what is said already is not quoted again
    {
        ArgumentNullException.ThrowIfNull(memory);
        _options = options ?? new();
        _options.Validate();
        (_memory, _scope) = (memory, scope);
        _sessions = new(_ => new MemorySession { Id = Guid.NewGuid().ToString("N") }, _options.StateKey, SessionJson.Default.Options);
    }

    /// <summary>The key of the provider's state in a session.</summary>
    public override IReadOnlyList<string> StateKeys => [_sessions.StateKey];

    /// <inheritdoc/>
    protected override async ValueTask<AIContext> ProvideAIContextAsync(InvokingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (Bind(context.Session) is not { } bound)
        {
            return new AIContext();
        }

        if (_options.Mode == MmBertMemoryMode.OnDemand)
        {
            return new AIContext { Tools = MemoryFunction.All(_memory, bound, _options, Failed) };
        }

        ChatMessage[] messages = [.. context.AIContext.Messages ?? []];
        string question = string.Join('\n', messages.Where(message => message.Role == ChatRole.User && IsFromTheCaller(message)).Select(message => message.Text).Where(text => !string.IsNullOrWhiteSpace(text)));
        try
        {
            IReadOnlyList<Evidence> found = await _memory.RecallAsync(question, _options.Recall with { Scope = bound, Top = _options.Recall.Top * Spare }, cancellationToken).ConfigureAwait(false);
            string[] said = [.. messages.Select(message => message.Text)];
            Evidence[] unsaid = [.. found.Where(evidence => !said.Any(text => text.Contains(evidence.Text, StringComparison.Ordinal))).Take(_options.Recall.Top)];
            string prompt = EvidenceFormatter.Format(unsaid, _options.MaximumCharacters);
            return prompt.Length == 0 ? new AIContext() : new AIContext { Messages = [new ChatMessage(ChatRole.User, prompt) { RawRepresentation = unsaid }] };
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(error);
            return new AIContext();
        }
    }

    /// <inheritdoc/>
    protected override async ValueTask StoreAIContextAsync(InvokedContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_options.Mode == MmBertMemoryMode.OnDemand || Bind(context.Session) is not { } scope)
        {
            return;
        }

        MemorySession session = _sessions.GetOrInitializeState(context.Session);
        session.Runs++;
        _sessions.SaveState(context.Session, session);
        List<MemoryItem> items = [];
        foreach (ChatMessage message in context.RequestMessages.Concat(context.ResponseMessages ?? []).Where(Remembers))
        {
            string? text = _options.Redact is null ? message.Text : _options.Redact(message.Text);
            if (!string.IsNullOrWhiteSpace(text))
            {
                items.Add(new() { Text = text, Source = $"session/{session.Id}/{session.Runs}/{message.Role}", Scope = scope, Time = message.CreatedAt, Metadata = Metadata(message) });
            }
        }

        try
        {
            await _memory.RememberAsync(items, null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(error);
        }
    }

    private static bool IsFromTheCaller(ChatMessage message) => message.GetAgentRequestMessageSourceType() == AgentRequestMessageSourceType.External;

    private static Dictionary<string, string> Metadata(ChatMessage message)
    {
        Dictionary<string, string> metadata = new() { ["role"] = message.Role.Value };
        if (!string.IsNullOrEmpty(message.AuthorName))
        {
            metadata["author"] = message.AuthorName;
        }

        return metadata;
    }

    private bool Remembers(ChatMessage message) => !string.IsNullOrWhiteSpace(message.Text) &&
        (_options.Remembers?.Invoke(message) ?? (message.Role == ChatRole.User || message.Role == ChatRole.Assistant));

    // Null: without a session there is nothing to fence by, and what would be stored could never be found again.
    private MemoryScope? Bind(AgentSession? session)
    {
        MemoryScope scope = _scope?.Invoke(session) ?? MemoryScope.Shared;
        if (scope.Session is not null || !(_options.FenceSessions ?? _scope is null))
        {
            return scope;
        }

        return session is null ? null : scope with { Session = _sessions.GetOrInitializeState(session).Id };
    }

    private void Failed(Exception error)
    {
        Activity.Current?.AddException(error);
        _options.OnError?.Invoke(error);
    }
}
