using System.Text.Encodings.Web;
using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>Writes one JSON object a line.</summary>
internal sealed class JsonOutput(Stream stream)
{
    // Never disposed: it holds nothing but memory, and its disposal would write to a stream that may be closed by then.
    private readonly Utf8JsonWriter _writer = new(stream, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    /// <summary>One object in memory.</summary>
    public static JsonElement Element(Action<Utf8JsonWriter> write)
    {
        using MemoryStream bytes = new();
        new JsonOutput(bytes).Line(null, write);
        return JsonElement.Parse(bytes.ToArray());
    }

    /// <summary>Writes one object.</summary>
    /// <param name="id">The input's <c>id</c> as it was written; null for none.</param>
    /// <param name="write">Writes the other fields.</param>
    public void Line(string? id, Action<Utf8JsonWriter> write)
    {
        _writer.WriteStartObject();
        if (id is not null)
        {
            _writer.WritePropertyName("id");
            _writer.WriteRawValue(id);
        }

        write(_writer);
        _writer.WriteEndObject();
        _writer.Flush();
        _writer.Reset();
        stream.WriteByte((byte)'\n');
    }
}
