using Microsoft.Extensions.AI;

namespace Microsoft.Agents.AI;

public sealed class AIContext
{
    public string? Instructions { get => throw null!; set => throw null!; }

    public IEnumerable<ChatMessage>? Messages { get => throw null!; set => throw null!; }

    public IEnumerable<AITool>? Tools { get => throw null!; set => throw null!; }
}

public abstract class AIContextProvider
{
    protected AIContextProvider(
        Func<IEnumerable<ChatMessage>, IEnumerable<ChatMessage>>? provideInputMessageFilter = null,
        Func<IEnumerable<ChatMessage>, IEnumerable<ChatMessage>>? storeInputRequestMessageFilter = null,
        Func<IEnumerable<ChatMessage>, IEnumerable<ChatMessage>>? storeInputResponseMessageFilter = null) => throw null!;

    public virtual IReadOnlyList<string> StateKeys => throw null!;

    protected virtual ValueTask<AIContext> InvokingCoreAsync(InvokingContext context, CancellationToken cancellationToken = default) => throw null!;

    protected virtual ValueTask<AIContext> ProvideAIContextAsync(InvokingContext context, CancellationToken cancellationToken = default) => throw null!;

    protected virtual ValueTask StoreAIContextAsync(InvokedContext context, CancellationToken cancellationToken = default) => throw null!;

    public sealed class InvokingContext
    {
        private InvokingContext() => throw null!;

        public AIAgent Agent => throw null!;

        public AgentSession? Session => throw null!;

        public AIContext AIContext => throw null!;
    }

    public sealed class InvokedContext
    {
        private InvokedContext() => throw null!;

        public AgentSession? Session => throw null!;

        public IEnumerable<ChatMessage> RequestMessages => throw null!;

        public IEnumerable<ChatMessage>? ResponseMessages => throw null!;
    }
}
