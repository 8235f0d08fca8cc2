using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What the router knows of a tool: name, description, parameters and example utterances.</summary>
/// <remarks>
/// <para>Two profiles with the same texts share one vector, whatever <see cref="AITool"/> instance they came from.</para>
/// <para>Immutable and thread-safe.</para>
/// </remarks>
/// <example><code>
/// ToolProfile profile = ToolProfile.FromJson("""{"name":"get_weather","description":"Weather of a city","examples":["will it rain in Bern"]}""");
/// // profile.QualifiedName → get_weather; profile.Examples.Count → 1
/// </code></example>
public sealed record ToolProfile
{
    /// <summary>Makes a profile of a name alone.</summary>
    /// <param name="name">The tool's name; may be empty, never <see langword="null"/>.</param>
    public ToolProfile(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
    }

    /// <summary>The name the model calls.</summary>
    public string Name { get; }

    /// <summary>The plugin or server the tool belongs to; tells tools of one name apart.</summary>
    /// <value>The default is <see langword="null"/>: none.</value>
    public string? Plugin { get; init; }

    /// <summary>What the tool does.</summary>
    /// <value>The default is <see langword="null"/>: routing goes by the name and parameters.</value>
    public string? Description { get; init; }

    /// <summary>The tool's parameters, in schema order.</summary>
    public IReadOnlyList<ToolParameter> Parameters { get; init; } = [];

    /// <summary>Things people say when they need this tool, in any language; the best match counts.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Further words for the lexical side, such as a category or tags.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary>The tool itself; <see langword="null"/> for a profile read from JSON.</summary>
    public AITool? Tool { get; init; }

    /// <summary>The name with its plugin: <c>plugin.name</c>.</summary>
    public string QualifiedName => Plugin is null ? Name : Plugin + "." + Name;

    /// <summary>Reads a profile off a tool.</summary>
    /// <remarks>The plugin is the tool's additional property <c>plugin</c>, <c>PluginName</c> or <c>server</c>; example utterances are its additional property <c>examples</c>.</remarks>
    /// <param name="tool">The tool.</param>
    /// <param name="examples">Example utterances; <see langword="null"/> to take those of the tool's additional properties.</param>
    public static ToolProfile FromTool(AITool tool, IReadOnlyList<string>? examples = null)
    {
        ArgumentNullException.ThrowIfNull(tool);
        return new ToolProfile(tool.Name ?? "")
        {
            Tool = tool,
            Description = tool.Description,
            Plugin = Property<string>(tool, "plugin") ?? Property<string>(tool, "PluginName") ?? Property<string>(tool, "server"),
            Parameters = tool is AIFunctionDeclaration function ? ToolSchema.Parameters(function.JsonSchema) : [],
            Examples = examples ?? Property<IEnumerable<string>>(tool, "examples")?.ToArray() ?? [],
        };
    }

    /// <summary>Reads a profile from one JSON object.</summary>
    /// <param name="json">The text of <c>{"name","description"?,"parameters"?,"examples"?}</c>.</param>
    /// <exception cref="FormatException">The text is not such an object.</exception>
    public static ToolProfile FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return FromJson(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new FormatException($"A tool is not valid JSON ({error.Message}). Expected: {{\"name\",\"description\",…}}.", error);
        }
    }

    /// <summary>Reads a profile from one JSON object: plain, an MCP tool (<c>inputSchema</c>), or wrapped as <c>{"type":"function","function":{…}}</c>.</summary>
    /// <remarks>Parameters are a JSON schema, a list of names, or an object of names and descriptions. Other texts of the object become <see cref="Keywords"/>.</remarks>
    /// <param name="element">The object.</param>
    /// <exception cref="FormatException">It is no object or has no name.</exception>
    public static ToolProfile FromJson(JsonElement element) => ToolSchema.Profile(element);

    private static T? Property<T>(AITool tool, string key)
        where T : class => tool.AdditionalProperties.TryGetValue(key, out object? value) ? value as T : null;
}
