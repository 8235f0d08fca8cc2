using Microsoft.Extensions.AI;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Stands for a model: answers as a script says and keeps what it was shown.</summary>
/// <param name="script">The answer to the messages so far; a message with calls asks for functions.</param>
internal sealed class ScriptedChatClient(Func<IReadOnlyList<ChatMessage>, ChatMessage> script) : IChatClient
{
    /// <summary>The names of the tools that each request showed.</summary>
    public List<string[]> Shown { get; } = [];

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Shown.Add([.. (options?.Tools ?? []).Select(tool => tool.Name)]);
        return Task.FromResult(new ChatResponse(script([.. messages])));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted") : null;

    public void Dispose()
    {
    }

    public static ChatMessage Says(string text) => new(ChatRole.Assistant, text);

    public static ChatMessage Calls(string function, string argument, string value) =>
        new(ChatRole.Assistant, [new FunctionCallContent($"call-{function}", function, new Dictionary<string, object?> { [argument] = value })]);
}
