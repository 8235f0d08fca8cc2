using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>The options of one routed request: a clone whose list of tools grows when the model searches for more.</summary>
internal sealed class ToolRequest
{
    private readonly ToolEntry[] _entries;
    private readonly HashSet<int> _listed;
    private readonly List<AITool> _tools = [];

    public ToolRequest(ToolRouter router, ChatOptions? options, ToolEntry[] entries, IReadOnlyList<int> listed)
    {
        _entries = entries;
        _listed = [.. listed];
        FindTools = new FindToolsFunction(router, new FindToolsFunction.Scope(entries, Found));
        Options = options?.Clone() ?? new ChatOptions();

        // First in the list, so that tools only ever follow; a catalogue with its own tool of that name keeps it.
        if (!entries.Any(entry => entry.Profile.Name == FindToolsFunction.FunctionName))
        {
            _tools.Add(FindTools);
        }

        foreach (int index in listed)
        {
            Add(index);
        }

        Options.Tools = _tools;
    }

    private ToolRequest(ChatOptions options)
    {
        (Options, _entries, _listed) = (options, [], []);
        FindTools = null!;
    }

    public ChatOptions Options { get; }

    public AIFunction FindTools { get; }

    /// <summary>A request that shows a catalogue of the router's own as it is.</summary>
    public static ToolRequest Whole(ChatOptions? options, ToolEntry[] entries)
    {
        ChatOptions clone = options?.Clone() ?? new ChatOptions();
        clone.Tools = [.. entries.Select(entry => entry.Profile.Tool).OfType<AITool>()];
        return new ToolRequest(clone);
    }

    /// <summary>Goes on with a search's answer: a service that keeps the conversation itself is sent only that.</summary>
    public void Continue(string? conversationId, ChatMessage found, List<ChatMessage> conversation)
    {
        if (conversationId is not null)
        {
            Options.ConversationId = conversationId;
            conversation.Clear();
            conversation.Add(found);
        }

        if (Options.ToolMode is RequiredChatToolMode { RequiredFunctionName: null or FindToolsFunction.FunctionName })
        {
            Options.ToolMode = null;    // the search was the required call
        }
    }

    // A function-invoking client inside reads the list again with each round, so what is added here can be called at once.
    private void Found(IReadOnlyList<RoutedTool> tools)
    {
        lock (_tools)
        {
            foreach (RoutedTool tool in tools.OrderBy(tool => tool.Index))
            {
                if (_listed.Add(tool.Index))
                {
                    Add(tool.Index);
                }
            }
        }
    }

    private void Add(int index)
    {
        if (_entries[index].Profile.Tool is { } tool)
        {
            _tools.Add(tool);
        }
    }
}
