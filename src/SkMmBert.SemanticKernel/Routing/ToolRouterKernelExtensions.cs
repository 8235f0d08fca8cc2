using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace SkMmBert;

/// <summary>Routes over the functions of a kernel, and turns a decision into what a chat completion is told.</summary>
/// <remarks>
/// <para>The functions of the kernel are the catalogue of each call; the router keeps their vectors by content, so a kernel made anew for each
/// request costs nothing. Thread-safe.</para>
/// </remarks>
/// <example><code>
/// RoutingDecision decision = await router.RouteAsync(kernel, history);
/// PromptExecutionSettings settings = new() { FunctionChoiceBehavior = decision.ToFunctionChoice(kernel) };
/// ChatMessageContent answer = await chat.GetChatMessageContentAsync(history, settings, kernel);
/// </code></example>
public static class ToolRouterKernelExtensions
{
    /// <summary>Chooses functions of the kernel for the last user turn of a conversation; functions that were called in it stay.</summary>
    /// <param name="router">Chooses.</param>
    /// <param name="kernel">Its functions are the catalogue.</param>
    /// <param name="history">The conversation so far.</param>
    /// <param name="cancellationToken">Stops embedding.</param>
    public static Task<RoutingDecision> RouteAsync(this ToolRouter router, Kernel kernel, ChatHistory history, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(kernel);
        ArgumentNullException.ThrowIfNull(history);
        return KernelTools.RouteAsync(router, KernelTools.Of(kernel), KernelConversation.Of(history), cancellationToken);
    }

    /// <summary>Chooses functions of the kernel for a question.</summary>
    /// <param name="router">Chooses.</param>
    /// <param name="kernel">Its functions are the catalogue.</param>
    /// <param name="question">The question; an empty one fits no function.</param>
    /// <param name="cancellationToken">Stops embedding.</param>
    public static Task<RoutingDecision> RouteAsync(this ToolRouter router, Kernel kernel, string question, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(kernel);
        ArgumentNullException.ThrowIfNull(question);
        return KernelTools.RouteAsync(router, KernelTools.Of(kernel), [new ChatMessage(ChatRole.User, question)], cancellationToken);
    }

    /// <summary>Makes the function choice that shows a model the functions of a decision, in the kernel's order, and <c>find_tools</c> where the kernel has it.</summary>
    /// <remarks>A decision without functions makes a choice without functions: the model cannot call any. Functions the kernel does not have are left out.</remarks>
    /// <param name="decision">What was routed over the same kernel's functions.</param>
    /// <param name="kernel">The kernel of the call.</param>
    /// <param name="autoInvoke">Whether functions are invoked for the model.</param>
    /// <param name="options">How functions may be called; <see langword="null"/> for the defaults.</param>
    public static FunctionChoiceBehavior ToFunctionChoice(this RoutingDecision decision, Kernel kernel, bool autoInvoke = true, FunctionChoiceBehaviorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(decision);
        ArgumentNullException.ThrowIfNull(kernel);
        HashSet<string> chosen = [.. KernelTools.Chosen(decision).Select(KernelTools.ListedName)];
        List<KernelFunction> functions = [.. KernelTools.Of(kernel).Where(function => chosen.Contains(KernelTools.ListedName(function)))];
        if (KernelTools.Finder(kernel) is { } finder)
        {
            functions.Add(finder);
        }

        return FunctionChoiceBehavior.Auto(functions, autoInvoke, options);
    }

    /// <summary>Makes a plugin with the function <c>find_tools</c>, with which a model asks for functions it was not shown.</summary>
    /// <remarks>With <see cref="ToolRoutingFilter"/> in the kernel the functions it finds are callable from the model's next request on.</remarks>
    /// <param name="router">Finds.</param>
    /// <param name="pluginName">The plugin's name.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The function takes a kernel and a text and returns a text: nothing is serialised by reflection.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The function takes a kernel and a text and returns a text: nothing is serialised by reflection.")]
    public static KernelPlugin ToFindToolsPlugin(this ToolRouter router, string pluginName = "tools")
    {
        ArgumentNullException.ThrowIfNull(router);
        async Task<string> FindAsync(Kernel kernel, [Description("What the function should do, in a few words.")] string query, CancellationToken cancellationToken) =>
            KernelTools.Describe(await KernelTools.FindAsync(router, kernel, query, cancellationToken).ConfigureAwait(false));

        KernelFunctionFromMethodOptions options = new()
        {
            FunctionName = "find_tools",
            Description = "Finds more functions by what they do. Call it when none of the functions at hand fits the task.",
            AdditionalMetadata = new(new Dictionary<string, object?> { [KernelTools.FinderMark] = true }),
        };
        return KernelPluginFactory.CreateFromFunctions(pluginName, "Finds functions.", [KernelFunctionFactory.CreateFromMethod(FindAsync, options)]);
    }
}
