using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using KernelCall = Microsoft.SemanticKernel.FunctionCallContent;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace SkMmBert;

/// <summary>A chat history as the router reads it: who said what, and which functions were called.</summary>
internal static class KernelConversation
{
    public static List<ChatMessage> Of(ChatHistory history) => [.. history.Select(content => new ChatMessage(new ChatRole(content.Role.Label), [.. content.Items.Select(Content).OfType<AIContent>()]))];

    // NOTE: SK's own conversion drops the plugin of a called function, and with it the name that the kernel's functions have as tools.
    private static AIContent? Content(KernelContent item) => item switch
    {
        KernelText { Text: { } text } => new Microsoft.Extensions.AI.TextContent(text),
        KernelCall call => new Microsoft.Extensions.AI.FunctionCallContent(
            call.Id ?? "", string.IsNullOrEmpty(call.PluginName) ? call.FunctionName : $"{call.PluginName}_{call.FunctionName}", call.Arguments),
        _ => null,
    };
}
