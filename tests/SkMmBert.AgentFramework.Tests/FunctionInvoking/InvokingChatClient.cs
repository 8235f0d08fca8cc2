using Microsoft.Extensions.AI;

namespace SkMmBert.Tests.Routing;

/// <summary>Microsoft.Extensions.AI's own function-invoking client, which says what it invoked and what it did not find.</summary>
internal sealed class InvokingChatClient : FunctionInvokingChatClient
{
    public InvokingChatClient(IChatClient inner)
        : base(inner)
    {
        FunctionInvoker = (context, stop) =>
        {
            Invoked.Add(context.Function.Name);
            return context.Function.InvokeAsync(context.Arguments, stop);
        };
    }

    public List<string> Invoked { get; } = [];

    public List<string> NotFound { get; } = [];

    protected override IList<ChatMessage> CreateResponseMessages(ReadOnlySpan<FunctionInvocationResult> results)
    {
        foreach (FunctionInvocationResult result in results)
        {
            if (result.Status == FunctionInvocationStatus.NotFound)
            {
                NotFound.Add(result.CallContent.Name);
            }
        }

        return base.CreateResponseMessages(results);
    }
}
