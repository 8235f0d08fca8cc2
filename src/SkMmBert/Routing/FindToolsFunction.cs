using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>The function that a model calls when the tool it needs is not in its list.</summary>
/// <param name="router">Searches.</param>
/// <param name="found">Told of the catalogue and what was found in it; <see langword="null"/> when the router's own catalogue is searched.</param>
internal sealed class FindToolsFunction(ToolRouter router, FindToolsFunction.Scope? found) : AIFunction
{
    public const string FunctionName = "find_tools";
    public const int Most = 8;

    /// <summary>The catalogue of one request, and who is told what was found in it.</summary>
    public sealed record Scope(ToolEntry[] Entries, Action<IReadOnlyList<RoutedTool>> Found);

    public override string Name => FunctionName;

    public override string Description => "Finds further tools by what they do, when no tool at hand fits. The tools found can be called right after.";

    public override JsonElement JsonSchema { get; } = JsonElement.Parse("""
        {"type":"object","properties":{"query":{"type":"string","description":"What the tool should do, in a few words"}},"required":["query"]}
        """);

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        string query = Query(arguments);
        RoutingDecision decision = await router.FindAsync(found?.Entries ?? router.Catalogue, query, Most, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RoutedTool> tools = [.. decision.Tools.Take(Most)];
        found?.Found(tools);
        return Text(tools);
    }

    public static string Query(IDictionary<string, object?>? arguments) =>
        arguments is not null && arguments.TryGetValue("query", out object? value)
            ? value switch { string text => text, JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!, null => "", _ => value.ToString() ?? "" }
            : "";

    public static string Text(IReadOnlyList<RoutedTool> tools) =>
        tools.Count == 0 ? "There are no tools." : string.Join('\n', tools.Select(tool => $"{tool.Profile.Name}: {ToolText.Clean(tool.Profile.Description, 200)}"));
}
