using System.Text.Json;
using System.Text.RegularExpressions;

namespace SkMmBert.Cli;

/// <summary>One input of a verb: a line that is a JSON object, or a plain text.</summary>
/// <param name="Number">The line it stands on, from 1.</param>
/// <param name="Text">The plain text; null for a JSON object.</param>
/// <param name="Json">The JSON object; undefined for a plain text.</param>
internal readonly record struct InputLine(int Number, string? Text, JsonElement Json)
{
    /// <summary>The <c>id</c> as it was written, or null.</summary>
    public string? Id => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("id", out JsonElement id) ? id.GetRawText() : null;

    /// <summary>A string field; lone surrogates are kept.</summary>
    public string Required(string field, string expected) => Optional(field)
        ?? throw new InputException($"line {Number} has no \"{field}\". Expected: {expected}.");

    /// <summary>A string field, or null where it is missing or null.</summary>
    public string? Optional(string field)
    {
        if (Json.ValueKind != JsonValueKind.Object || !Json.TryGetProperty(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String
            ? JsonText.Read(value)
            : throw new InputException($"line {Number} has a \"{field}\" that is {JsonText.Kind(value)}. Expected: a string.");
    }
}

/// <summary>Reads JSONL or plain lines; the first line that is not blank says which.</summary>
internal static partial class JsonLines
{
    /// <summary>The inputs of a file, lazily. A broken line is named by its number after all lines before it were given out.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="expected">What a JSON line looks like, for errors.</param>
    /// <param name="plain">Whether plain lines are allowed.</param>
    public static IEnumerable<InputLine> Read(TextLines lines, string expected, bool plain = true)
    {
        int blank = 0;
        string? line = lines.Next();
        for (; line is not null && string.IsNullOrWhiteSpace(line); line = lines.Next())
        {
            blank++;
        }

        if (!plain || (line is not null && LooksLikeJson().IsMatch(line)))
        {
            for (; line is not null; line = lines.Next())
            {
                if (!string.IsNullOrWhiteSpace(line))
                {
                    yield return new(lines.Number, null, Parse(line, lines.Number, expected));
                }
            }

            yield break;
        }

        // Plain lines: an empty one is an empty text, so that line n of the output belongs to line n of the input.
        for (int number = 1; number <= blank; number++)
        {
            yield return new(number, "", default);
        }

        for (; line is not null; line = lines.Next())
        {
            yield return new(lines.Number, line, default);
        }
    }

    private static JsonElement Parse(string line, int number, string expected)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, new() { AllowTrailingCommas = false });
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? root.Clone()
                : throw new InputException($"line {number} is {JsonText.Kind(root)}. Expected: {expected}. Everything before it is done.");
        }
        catch (JsonException error)
        {
            throw new InputException($"line {number} is not JSON (at byte {error.BytePositionInLine + 1}). Expected: {expected}. Everything before it is done.");
        }
    }

    [GeneratedRegex("""^\s*\{\s*["}]""")]
    private static partial Regex LooksLikeJson();
}
