using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SkMmBert;

/// <summary>Items as lines of JSON, without their vectors: those follow from the text.</summary>
internal static class MemoryJson
{
    public static string Write(MemoryItem item)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (item.Id.Length > 0)
            {
                json.WriteString("id", item.Id);
            }

            json.WriteString("text", item.Text);
            if (item.Source is not null)
            {
                json.WriteString("source", item.Source);
            }

            if (item.End > 0)
            {
                json.WriteNumber("start", item.Start);
                json.WriteNumber("end", item.End);
            }

            WriteScope(json, item.Scope ?? MemoryScope.Shared);
            if (item.Time is { } time)
            {
                json.WriteString("time", time.ToString("O", CultureInfo.InvariantCulture));
            }

            if (item.Metadata.Count > 0)
            {
                json.WriteStartObject("metadata");
                foreach ((string name, string value) in item.Metadata)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    public static MemoryItem Read(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("text", out JsonElement text) || text.ValueKind != JsonValueKind.String)
            {
                throw new FormatException($"The line '{Short(line)}' has no \"text\". Expected {{\"text\":\"…\"}} with, if wanted, id, source, scope, time and metadata.");
            }

            int start = Number(root, "start");
            return new MemoryItem
            {
                Id = Text(root, "id") ?? "",
                Text = text.GetString()!,
                Source = Text(root, "source"),
                Start = start,
                End = Math.Max(start, Number(root, "end")),
                Scope = root.TryGetProperty("scope", out JsonElement scope) && scope.ValueKind != JsonValueKind.Null ? ReadScope(scope) : null,
                Time = root.TryGetProperty("time", out JsonElement time) && time.ValueKind != JsonValueKind.Null ? ReadTime(time) : null,
                Metadata = root.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind != JsonValueKind.Null ? ReadMetadata(metadata) : new MemoryItem { Text = "" }.Metadata,
            };
        }
        catch (JsonException error)
        {
            throw new FormatException($"The line '{Short(line)}' is not JSON ({error.Message.Split('.')[0]}). Expected one object a line, such as {{\"text\":\"…\"}}.", error);
        }
    }

    /// <summary>A scope written as text (<c>user=ada</c>) or as an object with its parts.</summary>
    public static MemoryScope ReadScope(JsonElement scope)
    {
        if (scope.ValueKind == JsonValueKind.String)
        {
            return MemoryScope.Parse(scope.GetString()!);
        }

        if (scope.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"The scope is {Short(scope.GetRawText())}. Expected a text such as \"user=ada\" or an object with application, agent, user or session.");
        }

        foreach (JsonProperty part in scope.EnumerateObject())
        {
            if (part.Name is not ("application" or "agent" or "user" or "session") || part.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
            {
                throw new FormatException($"The scope has '{part.Name}': {Short(part.Value.GetRawText())}. Expected application, agent, user or session with a text.");
            }
        }

        return new MemoryScope { Application = Text(scope, "application"), Agent = Text(scope, "agent"), User = Text(scope, "user"), Session = Text(scope, "session") };
    }

    private static void WriteScope(Utf8JsonWriter json, MemoryScope scope)
    {
        if (scope != MemoryScope.Shared)
        {
            json.WriteStartObject("scope");
            foreach ((string name, string? value) in new[] { ("application", scope.Application), ("agent", scope.Agent), ("user", scope.User), ("session", scope.Session) })
            {
                if (value is not null)
                {
                    json.WriteString(name, value);
                }
            }

            json.WriteEndObject();
        }
    }

    private static DateTimeOffset ReadTime(JsonElement time)
    {
        if (time.ValueKind == JsonValueKind.Number && time.TryGetInt64(out long seconds) && seconds is > -62_135_596_800 and < 253_402_300_800)
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        }

        return time.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(time.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset read)
            ? read
            : throw new FormatException($"The time is {Short(time.GetRawText())}. Expected a text such as \"2026-11-21T12:00:00Z\", or seconds since 1970.");
    }

    private static Dictionary<string, string> ReadMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"The metadata is {Short(metadata.GetRawText())}. Expected an object of names and texts.");
        }

        // Numbers and booleans are kept as they are written.
        Dictionary<string, string> pairs = [];
        foreach (JsonProperty pair in metadata.EnumerateObject())
        {
            pairs[pair.Name] = pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString()! : pair.Value.GetRawText();
        }

        return pairs;
    }

    // Ids in data files are often numbers.
    private static string? Text(JsonElement root, string name) => !root.TryGetProperty(name, out JsonElement value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.Null => null,
        _ => throw new FormatException($"'{name}' is {Short(value.GetRawText())}. Expected a text."),
    };

    private static int Number(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= 0 ? number : 0;

    private static string Short(string text) => text.Length <= 60 ? text : $"{text[..57]}…";
}
