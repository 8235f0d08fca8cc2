using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>A chat client that shows the model only the tools the conversation needs, in an order that keeps the provider's prompt cache.</summary>
/// <remarks>
/// <para>The list of tools is a function of the conversation: each user turn adds the tools it needs behind those already listed, so the
/// list of a turn is the beginning of the next turn's. Within a turn the same list goes out with every model call. Options are cloned, never changed.</para>
/// <para>Inside a function-invoking client (nearer the model) each model call is routed and every tool stays invocable. Outside of one, put
/// <see cref="ToolRouter.CallableTools"/> into its <c>AdditionalTools</c>. The function <c>find_tools</c> is offered in both places and is answered
/// here when nobody else does, so that no tool is out of reach.</para>
/// <para>One routing costs one embedding call; turns routed before are remembered. A failing router passes all tools on. Thread-safe. Disposes the inner client, not the router.</para>
/// </remarks>
/// <example><code>
/// IChatClient chat = new ToolRoutingChatClient(inner, new ToolRouter(embedder));
/// ChatResponse response = await chat.GetResponseAsync("Will it rain in Bern?", new() { Tools = [.. twoHundredTools] });
/// // inner saw 3 tools and find_tools
/// </code></example>
public sealed class ToolRoutingChatClient : DelegatingChatClient
{
    private const int MaxSearches = 4;  // of find_tools in one call, so that a model that only searches comes to an end

    private readonly ToolRouter _router;
    private readonly ToolListing _listing;

    /// <summary>Puts a router before a chat client.</summary>
    /// <param name="innerClient">The client that talks to the model.</param>
    /// <param name="router">Chooses; stays the caller's.</param>
    /// <param name="maximumListed">Most tools of a list; a conversation that needs more starts its list anew.</param>
    public ToolRoutingChatClient(IChatClient innerClient, ToolRouter router, int maximumListed = 128)
        : base(innerClient)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumListed, 1);
        _router = router;
        _listing = new ToolListing(router, maximumListed);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        List<ChatMessage> conversation = [.. messages];
        ToolRequest? request = await RequestAsync(conversation, options, cancellationToken).ConfigureAwait(false);
        if (request is null)
        {
            return await base.GetResponseAsync(conversation, options, cancellationToken).ConfigureAwait(false);
        }

        List<ChatMessage> answers = [];
        UsageDetails? usage = null;
        for (int searches = 0; ; searches++)
        {
            ChatResponse response = await base.GetResponseAsync(conversation, request.Options, cancellationToken).ConfigureAwait(false);
            List<FunctionCallContent> open = OpenSearches(response.Messages);
            if (response.Usage is { } used)
            {
                (usage ??= new()).Add(used);
            }

            if (open.Count == 0)
            {
                if (searches > 0)
                {
                    response.Messages = [.. answers, .. response.Messages];
                    response.Usage = usage;
                }

                return response;
            }

            ChatMessage found = await AnswerAsync(request, open, cancellationToken).ConfigureAwait(false);
            bool others = HasOpenCalls(response.Messages);
            answers.AddRange([.. response.Messages, found]);
            if (others || searches == MaxSearches)
            {
                // Calls of other tools are for the client outside; it comes back with their results and finds the search answered.
                response.Messages = answers;
                response.Usage = usage;
                return response;
            }

            conversation.AddRange([.. response.Messages, found]);
            request.Continue(response.ConversationId, found, conversation);
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        List<ChatMessage> conversation = [.. messages];
        ToolRequest? request = await RequestAsync(conversation, options, cancellationToken).ConfigureAwait(false);
        if (request is null)
        {
            await foreach (ChatResponseUpdate update in base.GetStreamingResponseAsync(conversation, options, cancellationToken).ConfigureAwait(false))
            {
                yield return update;
            }

            yield break;
        }

        for (int searches = 0; ; searches++)
        {
            List<ChatResponseUpdate> updates = [], held = [];
            await foreach (ChatResponseUpdate update in base.GetStreamingResponseAsync(conversation, request.Options, cancellationToken).ConfigureAwait(false))
            {
                updates.Add(update);
                if (held.Count > 0 || update.Contents.Any(IsSearch))
                {
                    // Held back until it is known whether the inner client answers the search itself.
                    held.Add(update);
                    if (OpenSearches(held).Count > 0)
                    {
                        continue;
                    }

                    foreach (ChatResponseUpdate answered in held)
                    {
                        yield return answered;
                    }

                    held.Clear();
                    continue;
                }

                yield return update;
            }

            List<FunctionCallContent> open = OpenSearches(held);
            ChatMessage? found = open.Count > 0 ? await AnswerAsync(request, open, cancellationToken).ConfigureAwait(false) : null;
            foreach (ChatResponseUpdate update in held)
            {
                yield return update;
            }

            if (found is null)
            {
                yield break;
            }

            ChatResponse response = updates.ToChatResponse();
            yield return new ChatResponseUpdate(ChatRole.Tool, [.. found.Contents]) { ConversationId = response.ConversationId, ResponseId = response.ResponseId, MessageId = $"{response.ResponseId}/{FindToolsFunction.FunctionName}/{searches}" };
            if (HasOpenCalls(response.Messages) || searches == MaxSearches)
            {
                yield break;
            }

            conversation.AddRange([.. response.Messages, found]);
            request.Continue(response.ConversationId, found, conversation);
        }
    }

    /// <summary>Offers this client, its router, and what the inner client offers.</summary>
    /// <param name="serviceType">The type asked for.</param>
    /// <param name="serviceKey">A key.</param>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType == typeof(ToolRouter) ? _router : base.GetService(serviceType, serviceKey);
    }

    // Null: nothing to route, the options go through as they are.
    private async Task<ToolRequest?> RequestAsync(List<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        ToolEntry[] entries;
        try
        {
            entries = options?.Tools is { Count: > 0 } tools ? _router.Entries(tools) : _router.Catalogue;
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or NullReferenceException)
        {
            return null;    // the list changes while it is read: it is passed on as it is
        }

        if (entries.Length == 0 || options?.ToolMode is NoneChatToolMode)
        {
            return null;
        }

        bool own = options?.Tools is not { Count: > 0 };
        if (entries.Length < _router.Options.MinimumCatalogue && _router.Options.Top is null)
        {
            return own ? ToolRequest.Whole(options, entries) : null;
        }

        IReadOnlyList<int>? listed = await _listing.ListAsync(entries, messages, options, cancellationToken).ConfigureAwait(false);
        return listed is null ? own ? ToolRequest.Whole(options, entries) : null : new ToolRequest(_router, options, entries, listed);
    }

    private static async Task<ChatMessage> AnswerAsync(ToolRequest request, List<FunctionCallContent> searches, CancellationToken cancellationToken)
    {
        ChatMessage message = new(ChatRole.Tool, []);
        foreach (FunctionCallContent call in searches)
        {
            AIFunctionArguments arguments = new(call.Arguments ?? new Dictionary<string, object?>());
            object? result = await request.FindTools.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false);
            message.Contents.Add(new FunctionResultContent(call.CallId, result));
            call.InformationalOnly = true;  // answered here: a function-invoking client outside leaves it alone
        }

        return message;
    }

    private static bool IsSearch(AIContent content) => content is FunctionCallContent { Name: FindToolsFunction.FunctionName, InformationalOnly: false };

    private static List<FunctionCallContent> OpenSearches(IEnumerable<ChatMessage> messages) => Open(messages.SelectMany(message => message.Contents), search: true);

    private static List<FunctionCallContent> OpenSearches(IEnumerable<ChatResponseUpdate> updates) => Open(updates.SelectMany(update => update.Contents), search: true);

    private static bool HasOpenCalls(IEnumerable<ChatMessage> messages) => Open(messages.SelectMany(message => message.Contents), search: false).Count > 0;

    private static List<FunctionCallContent> Open(IEnumerable<AIContent> contents, bool search)
    {
        AIContent[] all = [.. contents];
        HashSet<string> answered = [.. all.OfType<FunctionResultContent>().Select(result => result.CallId)];
        return [.. all.OfType<FunctionCallContent>().Where(call => IsSearch(call) == search && !call.InformationalOnly && !answered.Contains(call.CallId))];
    }
}
