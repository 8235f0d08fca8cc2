using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>Reads a catalogue of tools.</summary>
internal static class ToolFile
{
    public const string Expected = """{"name","description","parameters"?,"examples"?}""";

    /// <summary>One tool a line; empty lines are skipped.</summary>
    public static List<ToolProfile> Read(string file, Terminal terminal)
    {
        using TextLines lines = InputFile.Open(file, terminal);
        List<ToolProfile> tools = [];
        while (lines.Next() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                tools.Add(ToolProfile.FromJson(document.RootElement));
            }
            catch (JsonException error)
            {
                throw new InputException($"line {lines.Number} of '{file}' is not JSON (at byte {error.BytePositionInLine + 1}). Expected: a tool a line, {Expected}.");
            }
            catch (Exception error) when (error is FormatException or InvalidOperationException)
            {
                throw new InputException($"line {lines.Number} of '{file}': {error.Message}");
            }
        }

        return tools;
    }
}
