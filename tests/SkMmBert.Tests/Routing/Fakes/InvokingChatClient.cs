using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SkMmBert.Tests.Routing;

/// <summary>The public behaviour of a function-invoking client in short: it looks calls up in the options' tools and in the additional ones,
/// runs them, adds the results and asks again; calls that are informational or answered are left alone, unknown ones get "not found".</summary>
internal sealed class InvokingChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    public IList<AITool>? AdditionalTools { get; set; }

    public List<string> Invoked { get; } = [];

    public List<string> NotFound { get; } = [];

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        List<ChatMessage> conversation = [.. messages], answers = [];
        while (true)
        {
            ChatResponse response = await base.GetResponseAsync(conversation, options, cancellationToken);
            answers.AddRange(response.Messages);
            if (await RunAsync(response.Messages, options, cancellationToken) is not { } results)
            {
                response.Messages = answers;
                return response;
            }

            answers.Add(results);
            conversation.AddRange([.. response.Messages, results]);
        }
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        List<ChatMessage> conversation = [.. messages];
        while (true)
        {
            List<ChatResponseUpdate> updates = [];
            await foreach (ChatResponseUpdate update in base.GetStreamingResponseAsync(conversation, options, cancellationToken))
            {
                updates.Add(update);
                yield return update;
            }

            IList<ChatMessage> said = updates.ToChatResponse().Messages;
            if (await RunAsync(said, options, cancellationToken) is not { } results)
            {
                yield break;
            }

            yield return new ChatResponseUpdate(ChatRole.Tool, [.. results.Contents]) { MessageId = Guid.NewGuid().ToString("N") };
            conversation.AddRange([.. said, results]);
        }
    }

    private async Task<ChatMessage?> RunAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        AIContent[] contents = [.. messages.SelectMany(message => message.Contents)];
        HashSet<string> answered = [.. contents.OfType<FunctionResultContent>().Select(result => result.CallId)];
        ChatMessage results = new(ChatRole.Tool, []);
        foreach (FunctionCallContent call in contents.OfType<FunctionCallContent>().Where(call => !call.InformationalOnly && !answered.Contains(call.CallId)))
        {
            AITool? tool = (options?.Tools ?? []).Concat(AdditionalTools ?? []).FirstOrDefault(tool => tool.Name == call.Name);
            if (tool is AIFunction function)
            {
                Invoked.Add(call.Name);
                results.Contents.Add(new FunctionResultContent(call.CallId, await function.InvokeAsync(new AIFunctionArguments(call.Arguments ?? new Dictionary<string, object?>()), cancellationToken)));
            }
            else
            {
                NotFound.Add(call.Name);
                results.Contents.Add(new FunctionResultContent(call.CallId, $"Error: Requested function \"{call.Name}\" not found."));
            }
        }

        return results.Contents.Count == 0 ? null : results;
    }
}
