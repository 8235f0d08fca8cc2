using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace SkMmBert;

/// <summary>A calibration as JSON text: numbers as they are, what was learned of single tools as base64 of little-endian floats.</summary>
internal static class ToolCalibrationJson
{
    public static string Write(ToolCalibration calibration)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("threshold", calibration.Threshold);
            writer.WriteNumber("minimum_chance", calibration.MinimumChance);
            Write(writer, "weights", calibration.Weights);
            if (calibration.Learned is { } learned)
            {
                writer.WriteStartObject("learned");
                writer.WriteString("model", learned.Model);
                Write(writer, "weights", learned.Weights);
                writer.WriteStartArray("tools");
                foreach (string name in learned.Names)
                {
                    writer.WriteStringValue(name);
                }

                writer.WriteEndArray();
                writer.WriteBase64String("rows", Bytes(learned.Rows));
                writer.WriteBase64String("constants", Bytes(learned.Constants));
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <exception cref="FormatException">It is no calibration.</exception>
    public static ToolCalibration Read(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            return new ToolCalibration
            {
                Threshold = root.GetProperty("threshold").GetSingle(),
                MinimumChance = root.GetProperty("minimum_chance").GetSingle(),
                Weights = Weights(root, ToolSignals.Length + 1),
                Learned = root.TryGetProperty("learned", out JsonElement learned) ? Learned(learned) : null,
            };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"The calibration cannot be read ({error.Message}). Expected: what ToolCalibration.ToJson writes.", error);
        }
    }

    private static LearnedTools Learned(JsonElement element)
    {
        string[] names = [.. element.GetProperty("tools").EnumerateArray().Select(name => name.GetString() ?? "")];
        float[] rows = Floats(element.GetProperty("rows")), constants = Floats(element.GetProperty("constants"));
        if (names.Length == 0 || constants.Length != names.Length || rows.Length == 0 || rows.Length % names.Length != 0 || !rows.All(float.IsFinite) || !constants.All(float.IsFinite))
        {
            throw new FormatException($"The calibration has {rows.Length} learned numbers and {constants.Length} constants for {names.Length} tools. Expected: what ToolCalibration.ToJson writes, as many finite ones for each tool.");
        }

        return new LearnedTools(element.GetProperty("model").GetString() ?? "", names, rows, constants) { Weights = Weights(element, ToolSignals.Length + 2) };
    }

    private static float[] Weights(JsonElement element, int count)
    {
        float[] weights = [.. element.GetProperty("weights").EnumerateArray().Select(weight => weight.GetSingle())];
        return weights.Length == count && weights.All(float.IsFinite)
            ? weights
            : throw new FormatException($"The calibration does not have {count} finite weights. Expected: what ToolCalibration.ToJson of this version writes.");
    }

    private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<float> numbers)
    {
        writer.WriteStartArray(name);
        foreach (float number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }

    private static byte[] Bytes(ReadOnlySpan<float> floats)
    {
        byte[] bytes = new byte[floats.Length * sizeof(float)];
        for (int i = 0; i < floats.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), floats[i]);
        }

        return bytes;
    }

    private static float[] Floats(JsonElement element)
    {
        byte[] bytes = element.TryGetBytesFromBase64(out byte[]? read) ? read : [];
        float[] floats = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < floats.Length; i++)
        {
            floats[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        }

        return floats;
    }
}
