using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SkMmBert;

/// <summary>Reads results out of JSON: an array, or an object with one array in it.</summary>
internal static class JsonAnswers
{
    public static SearchAnswer? Read(string json)
    {
        ReadOnlySpan<char> start = json.AsSpan().TrimStart();
        if (start.IsEmpty || start[0] is not ('[' or '{'))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Read(document.RootElement.Clone(), text => text);
        }
        catch (JsonException)
        {
            return null;    // a text that only begins like JSON
        }
    }

    public static SearchAnswer? Read(JsonElement json) => Read(json, text => Element(text));

    public static SearchAnswer? Read(JsonNode json) => Read(Element(json.ToJsonString()), text => JsonNode.Parse(text)!);

    private static SearchAnswer? Read(JsonElement root, Func<string, object> form)
    {
        if (root.ValueKind == JsonValueKind.Array)
        {
            return new SearchAnswer<JsonElement>([.. root.EnumerateArray()], RecordText.Of, items => form(Array(items)));
        }

        if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Array).ToArray() is not [JsonProperty results])
        {
            return null;
        }

        string Whole(List<JsonElement> items) => "{" + string.Join(',', root.EnumerateObject().Select(property =>
            $"\"{JsonEncodedText.Encode(property.Name)}\":{(property.Value.ValueKind == JsonValueKind.Array ? Array(items) : property.Value.GetRawText())}")) + "}";
        return new SearchAnswer<JsonElement>([.. results.Value.EnumerateArray()], RecordText.Of, items => form(Whole(items)));
    }

    // Each result word for word as it was.
    private static string Array(List<JsonElement> items) => new StringBuilder("[").AppendJoin(',', items.Select(item => item.GetRawText())).Append(']').ToString();

    private static JsonElement Element(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
