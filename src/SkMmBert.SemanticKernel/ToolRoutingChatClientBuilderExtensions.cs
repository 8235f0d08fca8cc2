using Microsoft.Extensions.DependencyInjection;
using SkMmBert;

namespace Microsoft.Extensions.AI;

/// <summary>Puts a tool router into a chat client's pipeline.</summary>
public static class ToolRoutingChatClientBuilderExtensions
{
    /// <summary>Shows the model only the tools that the conversation needs.</summary>
    /// <remarks>Put it after <c>UseKernelFunctionInvocation</c> or <c>UseFunctionInvocation</c>: each request to the model is then routed, and every tool stays callable.</remarks>
    /// <param name="builder">The pipeline.</param>
    /// <param name="router">Chooses; <see langword="null"/> for the router among the services.</param>
    /// <param name="serviceKey">The key of that router; <see langword="null"/> for none.</param>
    /// <example><code>
    /// IChatClient chat = inner.AsBuilder().UseKernelFunctionInvocation().UseToolRouting(router).Build();
    /// </code></example>
    public static ChatClientBuilder UseToolRouting(this ChatClientBuilder builder, ToolRouter? router = null, string? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) => new ToolRoutingChatClient(inner, router ?? services.GetRequiredKeyedService<ToolRouter>(serviceKey)));
    }
}
