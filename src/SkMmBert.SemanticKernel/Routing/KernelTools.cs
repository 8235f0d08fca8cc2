using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace SkMmBert;

/// <summary>The functions of a kernel as tools of a router.</summary>
internal static class KernelTools
{
    /// <summary>Marks the function that finds tools, through the cloning that happens when a plugin takes it.</summary>
    public const string FinderMark = "SkMmBert.FindTools";

    public static IEnumerable<KernelFunction> Of(Kernel kernel) => kernel.Plugins.SelectMany(plugin => plugin).Where(function => !IsFinder(function));

    public static KernelFunction? Finder(Kernel kernel) => kernel.Plugins.SelectMany(plugin => plugin).FirstOrDefault(IsFinder);

    public static bool IsFinder(KernelFunction function) => function.Metadata.AdditionalProperties.ContainsKey(FinderMark);

    /// <summary>The name under which a function choice lists a function.</summary>
    public static string ListedName(KernelFunction function) => string.IsNullOrEmpty(function.PluginName) ? function.Name : $"{function.PluginName}.{function.Name}";

    /// <summary>The functions of a decision, best first.</summary>
    public static IEnumerable<KernelFunction> Chosen(RoutingDecision decision) => decision.Tools.Select(tool => tool.Profile.Tool).OfType<KernelFunction>();

    /// <summary>The functions nearest to what a model is looking for: those chosen, else the best that were considered.</summary>
    public static async Task<KernelFunction[]> FindAsync(ToolRouter router, Kernel kernel, string query, CancellationToken cancellationToken)
    {
        const int most = 5;
        RoutingDecision decision = await RouteAsync(router, Of(kernel), [new ChatMessage(ChatRole.User, query)], cancellationToken).ConfigureAwait(false);
        IEnumerable<RoutedTool> tools = decision.Candidates.Count > 0 ? decision.Candidates : decision.Tools;
        return [.. tools.Select(tool => tool.Profile.Tool).OfType<KernelFunction>().Take(most)];
    }

    public static Task<RoutingDecision> RouteAsync(ToolRouter router, IEnumerable<KernelFunction> functions, IEnumerable<ChatMessage> messages, CancellationToken cancellationToken) =>
        functions.ToArray<AITool>() is { Length: > 0 } tools
            ? router.RouteAsync(messages, new ChatOptions { Tools = tools }, cancellationToken)
            : Task.FromResult(new RoutingDecision { Abstained = true, Reason = "The kernel has no functions: no tool fits." });

    /// <summary>What a model is told about the functions that were found.</summary>
    public static string Describe(IReadOnlyList<KernelFunction> functions) => functions.Count == 0
        ? "No function fits."
        : "These functions can be called now:\n" + string.Join('\n', functions.Select(function => $"{((AIFunction)function).Name}: {function.Description}"));
}
