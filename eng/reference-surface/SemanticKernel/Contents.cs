using System.Collections;
using Microsoft.Extensions.AI;

namespace Microsoft.SemanticKernel
{
    public abstract class KernelContent;

    public class TextContent : KernelContent
    {
        public string? Text => throw null!;
    }

    public class FunctionCallContent : KernelContent
    {
        public string? Id => throw null!;

        public string? PluginName => throw null!;

        public string FunctionName => throw null!;

        public KernelArguments? Arguments => throw null!;
    }

    public class ChatMessageContent : KernelContent
    {
        public ChatCompletion.AuthorRole Role => throw null!;

        public IList<KernelContent> Items => throw null!;
    }

    public sealed class AIContext
    {
        public string? Instructions { get => throw null!; set => throw null!; }

        public IList<AIFunction> AIFunctions { get => throw null!; set => throw null!; }
    }

    public abstract class AIContextProvider
    {
        public virtual Task MessageAddingAsync(string? conversationId, ChatMessage newMessage, CancellationToken cancellationToken = default) => throw null!;

        public abstract Task<AIContext> ModelInvokingAsync(ICollection<ChatMessage> newMessages, CancellationToken cancellationToken = default);
    }
}

namespace Microsoft.SemanticKernel.ChatCompletion
{
    public readonly struct AuthorRole
    {
        public string Label => throw null!;
    }

    public class ChatHistory : IEnumerable<ChatMessageContent>
    {
        public void Add(ChatMessageContent item) => throw null!;

        public IEnumerator<ChatMessageContent> GetEnumerator() => throw null!;

        IEnumerator IEnumerable.GetEnumerator() => throw null!;
    }
}
