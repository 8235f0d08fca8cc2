using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SkMmBert.Tests.Routing;

/// <summary>A chat model that answers from a callback and keeps what it was sent.</summary>
internal sealed class ScriptedChatClient(Func<IReadOnlyList<ChatMessage>, ChatOptions?, ChatMessage> answer) : IChatClient
{
    public List<string[]> ToolLists { get; } = [];

    public List<ChatOptions?> Options { get; } = [];

    public string? ConversationId { get; init; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new ChatResponse(Answer(messages, options)) { ConversationId = ConversationId, Usage = new() { InputTokenCount = 1, TotalTokenCount = 1 } });

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatMessage message = Answer(messages, options);
        foreach (AIContent content in message.Contents)
        {
            await Task.Yield();
            yield return new ChatResponseUpdate(message.Role, [content]) { ConversationId = ConversationId, MessageId = $"m{ToolLists.Count}", ResponseId = "r" };
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    private ChatMessage Answer(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        Options.Add(options);
        ToolLists.Add([.. (options?.Tools ?? []).Select(tool => tool.Name)]);
        return answer([.. messages], options);
    }
}
