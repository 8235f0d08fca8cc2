using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Shows an agent's model only the tools that a run needs.</summary>
/// <remarks>
/// <para>Put it last among the agent's context providers: it sees, and may take away, the tools of the agent and of every provider before it;
/// the memory's own functions stay. A run is routed once, which embeds one text. Where tools are to be chosen anew for each call of the model
/// within a run, put a <see cref="ToolRoutingChatClient"/> below the agent instead.</para>
/// <para>A session's list only grows at its end, so that the provider's prompt cache survives; its names are kept in the session's state and go
/// where the session goes. What is left out can be found by the model with <c>find_tools</c> and called in the same run.
/// A router that fails, or a small catalogue, passes all tools on.</para>
/// <para>A tool required for one run only (<see cref="ChatOptions.ToolMode"/> of the run's options) is not visible here: require it in the agent's
/// options, or list it in <see cref="ToolRouterOptions.AlwaysInclude"/>.</para>
/// <para>Thread-safe; one provider serves all sessions of an agent. Does not dispose the router.</para>
/// </remarks>
/// <example><code>
/// MmBertToolRouterProvider tools = new(new ToolRouter(embedder), onDecision: decision => log.Info(decision.Reason));
/// AIAgent agent = new ChatClientAgent(chat, new ChatClientAgentOptions { ChatOptions = new() { Tools = [.. twoHundredTools] }, AIContextProviders = [memory, tools] });
/// await agent.RunAsync("Will it rain in Bern?");   // the model is shown find_tools and 3 tools
/// </code></example>
public sealed class MmBertToolRouterProvider : AIContextProvider
{
    private readonly ToolRouter _router;
    private readonly int _maximumListed;
    private readonly Action<RoutingDecision>? _onDecision;
    private readonly ProviderSessionState<ToolSession> _sessions;

    /// <summary>Puts a router behind an agent's other context providers.</summary>
    /// <param name="router">Chooses; stays the caller's. Its own catalogue is used by an agent that has no tools.</param>
    /// <param name="maximumListed">Most tools of a list; a session that needs more starts its list anew.</param>
    /// <param name="onDecision">Told of each decision.</param>
    public MmBertToolRouterProvider(ToolRouter router, int maximumListed = 128, Action<RoutingDecision>? onDecision = null)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumListed, 1);
        (_router, _maximumListed, _onDecision) = (router, maximumListed, onDecision);
        _sessions = new(_ => new ToolSession(), nameof(MmBertToolRouterProvider), SessionJson.Default.Options);
    }

    /// <summary>The key of the provider's state in a session.</summary>
    public override IReadOnlyList<string> StateKeys => [_sessions.StateKey];

    /// <inheritdoc/>
    protected override async ValueTask<AIContext> InvokingCoreAsync(InvokingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        AIContext given = context.AIContext;
        AITool[] memory = [.. (given.Tools ?? []).Where(tool => tool is MemoryFunction)];
        AITool[] tools = [.. (given.Tools ?? []).Where(tool => tool is not MemoryFunction)];
        ToolEntry[] entries = tools.Length > 0 ? _router.Entries(tools) : _router.Catalogue;
        if (entries.Length == 0)
        {
            return given;
        }

        ChatOptions asked = new() { Tools = tools, ToolMode = (context.Agent.GetService(typeof(ChatOptions)) as ChatOptions)?.ToolMode };
        RoutingDecision decision = await _router.RouteAsync(given.Messages ?? [], asked, cancellationToken).ConfigureAwait(false);
        _onDecision?.Invoke(decision);
        bool all = decision.Tools.Any(tool => tool.Inclusion == ToolInclusion.All);
        return new AIContext
        {
            Instructions = given.Instructions,
            Messages = given.Messages,
            Tools = all ? [.. memory, .. entries.Select(entry => entry.Profile.Tool).OfType<AITool>()] : Listed(context.Session, entries, memory, decision),
        };
    }

    // The agent hands this very list to its function-invoking client, which reads it again with each round of a run.
    private List<AITool> Listed(AgentSession? session, ToolEntry[] entries, AITool[] memory, RoutingDecision decision)
    {
        ToolSession state = session is null ? new() : _sessions.GetOrInitializeState(session);
        Dictionary<string, int> places = [];
        for (int i = 0; i < entries.Length; i++)
        {
            places.TryAdd(entries[i].Profile.QualifiedName, i);
        }

        ToolList list = new(_maximumListed);
        lock (state)
        {
            list.Add(state.Listed.Where(places.ContainsKey).Select(name => places[name]));
            list.NextTurn();
            list.Add(decision.Tools.Select(tool => tool.Index).Order());
            Save();
        }

        List<AITool> shown = [.. memory, .. list.ToArray().Select(tool => entries[tool].Profile.Tool).OfType<AITool>()];
        if (!entries.Any(entry => entry.Profile.Name == FindToolsFunction.FunctionName))
        {
            shown.Insert(0, new FindToolsFunction(_router, new FindToolsFunction.Scope(entries, Found)));
        }

        return shown;

        void Found(IReadOnlyList<RoutedTool> tools)
        {
            lock (state)
            {
                foreach (RoutedTool found in tools.OrderBy(found => found.Index))
                {
                    if (found.Profile.Tool is { } tool && !shown.Contains(tool))
                    {
                        list.Add([found.Index]);
                        shown.Add(tool);
                    }
                }

                Save();
            }
        }

        void Save()
        {
            state.Listed = [.. list.ToArray().Select(tool => entries[tool].Profile.QualifiedName)];
            if (session is not null)
            {
                _sessions.SaveState(session, state);
            }
        }
    }
}
