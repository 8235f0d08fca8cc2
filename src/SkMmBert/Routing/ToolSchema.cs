using System.Text.Json;

namespace SkMmBert;

/// <summary>Reads tools and their parameters from the JSON forms they come in.</summary>
internal static class ToolSchema
{
    private const int MaxParameters = 128;  // of a schema with thousands, the first ones name the purpose

    private static readonly string[] s_schemaNames = ["parameters", "inputSchema", "input_schema", "params"];

    public static ToolProfile Profile(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("function", out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
        {
            element = inner;
        }

        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"A tool is {(element.ValueKind == JsonValueKind.Object ? "an object without a text \"name\"" : $"of JSON kind {element.ValueKind}")}. Expected: {{\"name\",\"description\",…}}.");
        }

        string? description = null, plugin = null;
        List<string> examples = [], keywords = [];
        IReadOnlyList<ToolParameter> parameters = [];
        foreach (JsonProperty property in element.EnumerateObject())
        {
            switch (property.Name)
            {
                case "name" or "id" or "type" or "strict" or "version":
                    break;
                case "description":
                    description = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
                    break;
                case "plugin" or "server":
                    plugin = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
                    break;
                case "examples":
                    Texts(property.Value, examples);
                    break;
                default:
                    if (s_schemaNames.Contains(property.Name))
                    {
                        parameters = Parameters(property.Value);
                    }
                    else
                    {
                        Texts(property.Value, keywords);
                    }

                    break;
            }
        }

        return new ToolProfile(name.GetString()!) { Description = description, Plugin = plugin, Parameters = parameters, Examples = examples, Keywords = keywords };
    }

    /// <summary>The parameters of a JSON schema, of a list of names, or of an object of names and descriptions.</summary>
    public static IReadOnlyList<ToolParameter> Parameters(JsonElement schema)
    {
        List<ToolParameter> parameters = [];
        if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in schema.EnumerateArray().Take(MaxParameters))
            {
                if (item.ValueKind == JsonValueKind.String)
                {
                    parameters.Add(new(item.GetString()!, null));
                }
                else if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String)
                {
                    parameters.Add(new(name.GetString()!, Description(item)));
                }
            }
        }
        else if (schema.ValueKind == JsonValueKind.Object)
        {
            bool typed = schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object;
            if (!typed && schema.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.GetString() == "object")
            {
                return [];
            }

            foreach (JsonProperty property in (typed ? properties : schema).EnumerateObject().Take(MaxParameters))
            {
                parameters.Add(new(property.Name, Description(property.Value)));
            }
        }

        return parameters;
    }

    private static string? Description(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object when value.TryGetProperty("description", out JsonElement text) && text.ValueKind == JsonValueKind.String => text.GetString(),
        _ => null,
    };

    private static void Texts(JsonElement value, List<string> texts)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            texts.Add(value.GetString()!);
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            texts.AddRange(value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!));
        }
    }
}
