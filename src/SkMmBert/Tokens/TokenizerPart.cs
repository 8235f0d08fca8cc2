using System.Text.Json;

namespace SkMmBert;

/// <summary>One component of a tokenizer.json; every fault names it.</summary>
internal sealed class TokenizerPart(string path, string name, IReadOnlyDictionary<string, JsonElement>? keys)
{
    /// <summary>Whether the component is missing or null.</summary>
    public bool IsNone => keys is null;

    /// <summary>Where it stands and what it is, such as <c>normalizer 'Replace'</c>.</summary>
    public string Name => keys is not null && keys.TryGetValue("type", out JsonElement type) && type.ValueKind == JsonValueKind.String ? $"{name} '{type.GetString()}'" : name;

    public string Type => Text("type");

    public static TokenizerPart From(string path, string name, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{path}' is not a tokenizer.json that SkMmBert can read: {name} must be an object.");
        }

        Dictionary<string, JsonElement> keys = [];
        foreach (JsonProperty property in element.EnumerateObject())
        {
            keys[property.Name] = property.Value;
        }

        return new TokenizerPart(path, name, keys);
    }

    public InvalidDataException Fault(string fault) => new($"'{path}' is not a tokenizer.json that SkMmBert can read: {Name}: {fault}.");

    public InvalidDataException Unknown(string known) => Fault($"this kind is not known; known are {known}");

    public bool Has(string key) => keys is not null && keys.TryGetValue(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    public JsonElement this[string key] => Has(key) ? keys![key] : throw Fault($"'{key}' is missing");

    public string Text(string key) => this[key] is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw Fault($"'{key}' must be a string");

    public bool Flag(string key, bool missing) => !Has(key) ? missing : this[key].ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Fault($"'{key}' must be true or false"),
    };

    public int Number(string key) => this[key] is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number) && number >= 0
        ? number
        : throw Fault($"'{key}' must be a whole number from 0");

    public TokenizerPart Child(string key) => From(path, $"{Name} {key}", this[key]);

    /// <summary>The components of a 'Sequence', or this one alone.</summary>
    public TokenizerPart[] Flatten(string listKey)
    {
        if (IsNone)
        {
            return [];
        }

        if (Type != "Sequence")
        {
            return [this];
        }

        if (this[listKey].ValueKind != JsonValueKind.Array)
        {
            throw Fault($"'{listKey}' must be an array");
        }

        RefuseOtherKeys("type", listKey);
        return [.. this[listKey].EnumerateArray().SelectMany(e => From(path, name, e).Flatten(listKey))];
    }

    /// <summary>A key that nobody reads might change what the component does.</summary>
    public void RefuseOtherKeys(params ReadOnlySpan<string> known)
    {
        foreach (string key in keys!.Keys)
        {
            if (!known.Contains(key))
            {
                throw Fault($"the key '{key}' is not known");
            }
        }
    }
}
