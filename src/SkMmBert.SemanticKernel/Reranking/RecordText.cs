using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.VectorData;
using Microsoft.SemanticKernel.Data;

namespace SkMmBert;

/// <summary>Finds the text of a search result.</summary>
internal static class RecordText
{
    // In the order in which they are read; whatever a record has of them is its text.
    private static readonly string[] Names = ["title", "name", "heading", "text", "content", "value", "snippet", "body", "description", "summary"];

    /// <summary>The text of a result of any type; null when it has none.</summary>
    public static string? Of(object? item, Func<object, string?>? chosen) => item is null ? null : chosen?.Invoke(item) ?? item switch
    {
        string text => text,
        TextSearchResult result => result.Value,
        Evidence evidence => evidence.Text,
        JsonElement json => Of(json),
        IEnumerable<KeyValuePair<string, object?>> pairs => Join(pairs),
        _ => OfProperties(item, chosen),
    };

    /// <summary>The text of a JSON result.</summary>
    public static string? Of(JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.String => item.GetString(),
        JsonValueKind.Object => Join(item.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value.ValueKind == JsonValueKind.String ? (object?)property.Value.GetString() : null))),
        _ => item.GetRawText(),
    };

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "A record whose properties were trimmed has no text here, and its place is kept; RerankingFilterOptions.Text reads it instead.")]
    private static string? OfProperties(object item, Func<object, string?>? chosen)
    {
        PropertyInfo[] properties = [.. item.GetType().GetProperties().Where(property => property.CanRead && property.GetIndexParameters().Length == 0)];
        if (item.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(VectorSearchResult<>))
        {
            return Of(properties.First(property => property.Name == "Record").GetValue(item), chosen);
        }

        PropertyInfo[] texts = [.. properties.Where(property => property.PropertyType == typeof(string))];
        PropertyInfo[] marked = [.. texts.Where(property => property.IsDefined(typeof(TextSearchResultValueAttribute)))];
        return marked.Length > 0 ? (string?)marked[0].GetValue(item) : Join(texts.Select(property => KeyValuePair.Create(property.Name, property.GetValue(item))));
    }

    private static string? Join(IEnumerable<KeyValuePair<string, object?>> pairs)
    {
        (string Name, string Text)[] texts = [.. pairs.Where(pair => pair.Value is string { Length: > 0 }).Select(pair => (pair.Key, (string)pair.Value!))];
        IEnumerable<string> named = Names.SelectMany(name => texts.Where(text => text.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).Select(text => text.Text);
        string joined = string.Join('\n', named);
        return joined.Length > 0 ? joined : texts.Length > 0 ? string.Join('\n', texts.Select(text => text.Text)) : null;
    }
}
