using System.Text.Json;
using System.Text.Unicode;

namespace SkMmBert;

/// <summary>Reads and checks a safetensors header: every tensor's bytes lie in the file, without overlaps and holes.</summary>
internal static class SafetensorsFileHeader
{
    // An entry is {"name": {"shape": [..]}}; anything deeper is not a header.
    private const int MaxDepth = 4;

    public static Dictionary<string, SafetensorsTensor> Read(string path, ReadOnlySpan<byte> header, long dataBytes)
    {
        try
        {
            if (!Utf8.IsValid(header))
            {
                throw Broken(path, "has a header that is not UTF-8", "UTF-8");
            }

            Utf8JsonReader json = new(header, new JsonReaderOptions { MaxDepth = MaxDepth });
            Dictionary<string, SafetensorsTensor> tensors = ReadTensors(path, ref json);
            while (json.Read())
            {
            }

            CheckLayout(path, tensors.Values, dataBytes);
            return tensors;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException(
                $"'{path}' has a header that is not valid ({exception.Message.ReplaceLineEndings(" ")}). Expected: one JSON object of tensors; the file is damaged or no safetensors file, download it again.", exception);
        }
    }

    private static Dictionary<string, SafetensorsTensor> ReadTensors(string path, ref Utf8JsonReader json)
    {
        Expect(path, ref json, JsonTokenType.StartObject, "its header");
        Dictionary<string, SafetensorsTensor> tensors = new(StringComparer.Ordinal);
        bool metadata = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            if (name == "__metadata__")
            {
                if (metadata)
                {
                    throw Broken(path, "has \"__metadata__\" twice", "each key once");
                }

                metadata = true;
                ReadMetadata(path, ref json);
            }
            else if (!tensors.TryAdd(name, ReadTensor(path, name, ref json)))
            {
                throw Broken(path, $"has tensor \"{name}\" twice", "each tensor once");
            }
        }

        return tensors;
    }

    private static void ReadMetadata(string path, ref Utf8JsonReader json)
    {
        Expect(path, ref json, JsonTokenType.StartObject, "\"__metadata__\"");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            Expect(path, ref json, JsonTokenType.String, $"metadata \"{name}\"");
        }
    }

    private static SafetensorsTensor ReadTensor(string path, string name, ref Utf8JsonReader json)
    {
        Expect(path, ref json, JsonTokenType.StartObject, $"tensor \"{name}\"");
        SafetensorsType? type = null;
        long[]? shape = null, offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            switch (key)
            {
                case "dtype" when type is null:
                    Expect(path, ref json, JsonTokenType.String, $"\"dtype\" of tensor \"{name}\"");
                    string text = json.GetString()!;
                    type = SafetensorsTensor.Parse(text) ?? throw Broken(path, $"stores tensor \"{name}\" as \"{text}\"", "a number type of the format, such as F32, F16 or BF16");
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(path, name, key, ref json);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(path, name, key, ref json);
                    break;
                default:
                    throw Broken(path, $"describes tensor \"{name}\" with \"{key}\"{(key is "dtype" or "shape" or "data_offsets" ? " twice" : "")}", "dtype, shape and data_offsets, each once");
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            throw Broken(path, $"describes tensor \"{name}\" without \"{(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}\"", "dtype, shape and data_offsets");
        }

        if (offsets.Length != 2 || offsets[1] < offsets[0])
        {
            throw Broken(path, $"puts tensor \"{name}\" at [{string.Join(", ", offsets)}]", "a start and an end after it");
        }

        UInt128 bits = (uint)SafetensorsTensor.Bits(type.Value);
        foreach (long size in shape)
        {
            // Each factor is below 2^63 and the product is cut off at 2^64, so the 128 bits never overflow.
            bits *= (ulong)size;
            bits = bits > ulong.MaxValue ? ulong.MaxValue : bits;
            if (bits == 0)
            {
                break;
            }
        }

        UInt128 stored = (UInt128)(ulong)(offsets[1] - offsets[0]) * 8;
        return bits == stored ? new SafetensorsTensor(name, type.Value, shape, offsets[0], offsets[1] - offsets[0]) : throw Broken(
            path, $"gives tensor \"{name}\" ({type}, [{string.Join(", ", shape)}]) {offsets[1] - offsets[0]:N0} bytes", "as many as type and shape need");
    }

    private static long[] ReadNumbers(string path, string name, string key, ref Utf8JsonReader json)
    {
        Expect(path, ref json, JsonTokenType.StartArray, $"\"{key}\" of tensor \"{name}\"");
        List<long> numbers = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long number) || number < 0 || numbers.Count == 16)
            {
                throw Broken(path, $"has a \"{key}\" of tensor \"{name}\" that is no list of at most 16 whole numbers from 0 to 2^63", "such a list");
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static void CheckLayout(string path, IEnumerable<SafetensorsTensor> tensors, long dataBytes)
    {
        long at = 0;
        foreach (SafetensorsTensor tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.Bytes))
        {
            if (tensor.Offset != at)
            {
                throw Broken(path, $"puts tensor \"{tensor.Name}\" at byte {tensor.Offset:N0} of its data", $"{at:N0}, where the one before ends: no overlaps, no holes");
            }

            at += tensor.Bytes;
            if (at > dataBytes)
            {
                throw Broken(path, $"ends tensor \"{tensor.Name}\" at byte {at:N0} of its data", $"at most {dataBytes:N0}, where the file ends");
            }
        }

        if (at != dataBytes)
        {
            throw Broken(path, $"has {dataBytes:N0} bytes of data", $"{at:N0}, the sum of its tensors");
        }
    }

    private static void Expect(string path, ref Utf8JsonReader json, JsonTokenType type, string what)
    {
        if (!json.Read() || json.TokenType != type)
        {
            throw Broken(path, $"has a {json.TokenType} for {what}", type.ToString());
        }
    }

    private static InvalidDataException Broken(string path, string found, string expected) => new($"'{path}' {found}. Expected: {expected}; the file is damaged, download it again.");
}
