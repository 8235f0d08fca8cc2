namespace Microsoft.Extensions.AI;

public sealed class ChatClientBuilder
{
    public ChatClientBuilder Use(Func<IChatClient, IServiceProvider, IChatClient> clientFactory) => throw null!;
}

public class FunctionInvocationContext
{
    public ChatOptions? Options { get => throw null!; set => throw null!; }
}
