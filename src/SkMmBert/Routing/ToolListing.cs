using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>The tools listed for a conversation: what each of its turns added, in order, so that the list only grows at its end.</summary>
/// <remarks>
/// The list is computed from the messages alone and is therefore the same in every process and after a restart; decisions of earlier turns are
/// remembered, so that only the newest turn is embedded. With a service that keeps the messages itself (<see cref="ChatOptions.ConversationId"/>)
/// the list is remembered under that id. Thread-safe.
/// </remarks>
internal sealed class ToolListing(ToolRouter router, int maximumListed)
{
    private const int Remembered = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(UInt128 Catalogue, UInt128 Question), int[]> _decisions = [];
    private readonly Queue<(UInt128 Catalogue, UInt128 Question)> _order = new();
    private readonly Dictionary<string, (UInt128 Catalogue, int[] Listed)> _byConversation = [];
    private readonly Queue<string> _conversations = new();

    /// <summary>Indexes into the catalogue in the order they are listed; <see langword="null"/> to pass all on.</summary>
    public async Task<IReadOnlyList<int>?> ListAsync(ToolEntry[] entries, IReadOnlyList<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        UInt128 catalogue = ToolIndexBuilder.Key(entries);
        ToolConversation conversation = ToolConversation.Of(messages);
        Dictionary<string, List<int>> byName = ByName(entries);
        HashSet<string> unmistakable = [.. byName.Keys.Where(ToolConversation.IsUnmistakable)];
        ToolList list = new(maximumListed);
        if (options?.ConversationId is { } id && Recall(id, catalogue) is { } before)
        {
            list.Add(before);
        }
        else if (conversation.Turns.Count == 0)
        {
            return null;
        }

        // Always-included tools lead: they never change.
        for (int i = 0; i < entries.Length && router.Options.AlwaysInclude is not null; i++)
        {
            if (router.Options.AlwaysInclude(entries[i].Profile))
            {
                list.Keep(i);
            }
        }

        for (int turn = 0; turn < conversation.Turns.Count; turn++)
        {
            list.NextTurn();
            ToolConversation.Turn words = conversation.Turns[turn];
            if (await DecideAsync(entries, catalogue, conversation.Question(turn, router.Options.RecentTurns), null, cancellationToken).ConfigureAwait(false) is not { } chosen)
            {
                return null;
            }

            list.Add(chosen);
            list.Add(Indexes(ToolConversation.Named(words.Text, unmistakable), byName));
            foreach (string search in words.Searches)
            {
                list.Add(await DecideAsync(entries, catalogue, [search], FindToolsFunction.Most, cancellationToken).ConfigureAwait(false) ?? []);
            }

            foreach (int called in Indexes(words.Names, byName))
            {
                list.Keep(called);
            }
        }

        if ((options?.ToolMode as RequiredChatToolMode)?.RequiredFunctionName is { } required)
        {
            list.Add(Indexes([required], byName));
        }

        int[] listed = list.ToArray();
        if (options?.ConversationId is { } key)
        {
            Remember(key, catalogue, listed);
        }

        return listed;
    }

    // Null when the router failed: then everything is passed on, and nothing remembered.
    private async Task<int[]?> DecideAsync(ToolEntry[] entries, UInt128 catalogue, IReadOnlyList<string> question, int? top, CancellationToken cancellationToken)
    {
        (UInt128, UInt128) key = (catalogue, ToolText.Hash($"{top}\u001F{string.Join('\u001E', question)}"));
        lock (_lock)
        {
            if (_decisions.TryGetValue(key, out int[]? known))
            {
                return known;
            }
        }

        RoutingDecision decision = await router.RouteAsync(entries, question, top, cancellationToken).ConfigureAwait(false);
        if (decision.Error is not null)
        {
            return null;
        }

        int[] chosen = [.. decision.Tools.Where(tool => tool.Inclusion == ToolInclusion.Matched).Select(tool => tool.Index).Order()];
        lock (_lock)
        {
            if (_decisions.TryAdd(key, chosen))
            {
                _order.Enqueue(key);
                if (_order.Count > Remembered)
                {
                    _decisions.Remove(_order.Dequeue());
                }
            }
        }

        return chosen;
    }

    private int[]? Recall(string id, UInt128 catalogue)
    {
        lock (_lock)
        {
            return _byConversation.TryGetValue(id, out (UInt128 Catalogue, int[] Listed) known) && known.Catalogue == catalogue ? known.Listed : null;
        }
    }

    private void Remember(string id, UInt128 catalogue, int[] listed)
    {
        lock (_lock)
        {
            if (!_byConversation.ContainsKey(id))
            {
                _conversations.Enqueue(id);
                if (_conversations.Count > Remembered)
                {
                    _byConversation.Remove(_conversations.Dequeue());
                }
            }

            _byConversation[id] = (catalogue, listed);
        }
    }

    private static Dictionary<string, List<int>> ByName(ToolEntry[] entries)
    {
        Dictionary<string, List<int>> byName = [];
        for (int i = 0; i < entries.Length; i++)
        {
            Add(entries[i].Profile.Name, i);
            if (entries[i].Profile.Plugin is not null)
            {
                Add(entries[i].Profile.QualifiedName, i);
            }
        }

        return byName;

        void Add(string name, int index)
        {
            if (!byName.TryGetValue(name, out List<int>? indexes))
            {
                byName[name] = indexes = [];
            }

            indexes.Add(index);
        }
    }

    private static int[] Indexes(IEnumerable<string> names, Dictionary<string, List<int>> byName) =>
        [.. names.Where(byName.ContainsKey).SelectMany(name => byName[name])];
}

/// <summary>A list that grows at its end; when it would grow too long it starts anew with what the last turns used.</summary>
internal sealed class ToolList(int most)
{
    private readonly List<int> _listed = [];
    private readonly HashSet<int> _there = [];
    private readonly List<int> _kept = [];
    private readonly List<int> _turn = [];

    public void NextTurn() => _turn.Clear();

    /// <summary>Adds a tool that stays when the list starts anew.</summary>
    public void Keep(int tool)
    {
        _kept.Add(tool);
        Add([tool]);
    }

    public void Add(IEnumerable<int> tools)
    {
        foreach (int tool in tools)
        {
            _turn.Add(tool);
            if (_there.Contains(tool))
            {
                continue;
            }

            if (_listed.Count >= most)
            {
                _listed.Clear();
                _there.Clear();
                foreach (int kept in _kept.Concat(_turn).Distinct().Take(most))
                {
                    _listed.Add(kept);
                    _there.Add(kept);
                }

                continue;
            }

            _listed.Add(tool);
            _there.Add(tool);
        }
    }

    public int[] ToArray() => [.. _listed];
}
