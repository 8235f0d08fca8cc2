using System.Text.Json;

namespace SkMmBert;

/// <summary>The keys of one JSON object of a model folder; every complaint names the file and the key.</summary>
internal readonly struct EncoderConfigFields(string path, string prefix, JsonElement element)
{
    private const int MaxBytes = 16 << 20;

    public string Path => path;

    public IEnumerable<string> Names
    {
        get
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                yield return property.Name;
            }
        }
    }

    /// <summary>Reads a file that holds one JSON object (or, for <c>modules.json</c>, an array).</summary>
    public static JsonElement ReadJson(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new FileNotFoundException($"'{path}' was not found. Expected: a model folder with this file; download it again or check the folder's name.", path);
        }

        if (file.Length is 0 or > MaxBytes)
        {
            throw new InvalidDataException($"'{path}' has {file.Length:N0} bytes. Expected: a JSON file of at most {MaxBytes:N0}; download it again.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"'{path}' is not valid JSON ({exception.Message.ReplaceLineEndings(" ")}). Expected: a complete JSON file; download it again.", exception);
        }
    }

    public static EncoderConfigFields ReadFile(string path)
    {
        JsonElement root = ReadJson(path);
        return root.ValueKind == JsonValueKind.Object
            ? new EncoderConfigFields(path, "", root)
            : throw new InvalidDataException($"'{path}' holds {Kind(root)}. Expected: a JSON object; download it again.");
    }

    /// <summary>Whether the key is there and not null.</summary>
    public bool Has(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    public bool IsNull(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    public int Int(string name, int min, int max)
    {
        JsonElement value = Required(name, $"a whole number of {min} to {max}");
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : throw Wrong(name, value, $"a whole number of {min} to {max}");
    }

    public int Int(string name, int min, int max, int missing) => Has(name) ? Int(name, min, max) : missing;

    public double Number(string name, double above, double max)
    {
        JsonElement value = Required(name, $"a number above {above} and at most {max}");
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number > above && number <= max
            ? number
            : throw Wrong(name, value, $"a number above {above} and at most {max}");
    }

    public double? NumberOrNull(string name, double above, double max) => Has(name) ? Number(name, above, max) : null;

    public bool Bool(string name, bool missing)
    {
        if (!Has(name))
        {
            return missing;
        }

        JsonElement value = element.GetProperty(name);
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, value, "true or false");
    }

    public string String(string name, params ReadOnlySpan<string> allowed)
    {
        string expected = allowed.Length == 0 ? "a string" : "one of " + string.Join(", ", allowed.ToArray());
        JsonElement value = Required(name, expected);
        string? text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is not null && (allowed.Length == 0 || allowed.Contains(text)) ? text : throw Wrong(name, value, expected);
    }

    public EncoderConfigFields Object(string name)
    {
        JsonElement value = Required(name, "a JSON object");
        return value.ValueKind == JsonValueKind.Object ? new EncoderConfigFields(path, prefix + name + ".", value) : throw Wrong(name, value, "a JSON object");
    }

    public bool IsObject(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object;

    public int[] Ints(string name, int min, int max)
    {
        string expected = $"a list of different whole numbers of {min} to {max}";
        JsonElement value = Required(name, expected);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > 4096)
        {
            throw Wrong(name, value, expected);
        }

        List<int> numbers = [];
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out int number) || number < min || number > max || numbers.Contains(number))
            {
                throw Wrong(name, value, expected);
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    public float[] Numbers(string name)
    {
        JsonElement value = Required(name, "a list of numbers");
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Number || !item.TryGetSingle(out float number) || !float.IsFinite(number)))
        {
            throw Wrong(name, value, "a list of numbers");
        }

        return [.. value.EnumerateArray().Select(item => item.GetSingle())];
    }

    public string[] Strings(string name)
    {
        JsonElement value = Required(name, "a list of strings");
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            throw Wrong(name, value, "a list of strings");
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>Complains unless a key is missing, null or false.</summary>
    public void RefuseTrue(string name)
    {
        if (Bool(name, false))
        {
            throw new InvalidDataException($"'{path}' has \"{prefix}{name}\": true. Expected: false; SkMmBert does not compute models with it, use another checkpoint.");
        }
    }

    public InvalidDataException Wrong(string name, string expected) => Wrong(name, element.GetProperty(name), expected);

    private InvalidDataException Wrong(string name, JsonElement value, string expected)
    {
        string raw = value.GetRawText().ReplaceLineEndings(" ");
        return new InvalidDataException(
            $"'{path}' has \"{prefix}{name}\": {(raw.Length > 80 ? raw[..80] + "…" : raw)}. Expected: {expected}; use a checkpoint SkMmBert supports or correct the file.");
    }

    private JsonElement Required(string name, string expected) =>
        element.TryGetProperty(name, out JsonElement value)
            ? value
            : throw new InvalidDataException($"'{path}' has no \"{prefix}{name}\". Expected: {expected}; add the key, since a guess would silently give wrong numbers.");

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a JSON array",
        JsonValueKind.Object => "a JSON object",
        _ => "a JSON value",
    };
}
