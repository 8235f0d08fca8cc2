using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SkMmBert.Notebooks.Tests;

/// <summary>An .ipynb file: its code cells with the outputs that were kept.</summary>
internal sealed class NotebookFile
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, IndentSize = 1, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _path;
    private readonly JsonObject _root;

    public NotebookFile(string path)
    {
        _path = path;
        _root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Cells = [.. _root["cells"]!.AsArray().Select(cell => new NotebookCell(cell!.AsObject()))];
    }

    public IReadOnlyList<NotebookCell> Cells { get; }

    public IEnumerable<NotebookCell> Code => Cells.Where(cell => cell.IsCode);

    public string Kernel => (string)_root["metadata"]!["kernelspec"]!["name"]!;

    public void Save() => File.WriteAllText(_path, _root.ToJsonString(s_json) + "\n");
}

/// <summary>One cell of a notebook.</summary>
internal sealed class NotebookCell(JsonObject cell)
{
    public bool IsCode => (string)cell["cell_type"]! == "code";

    public string Source => Joined(cell["source"]!);

    /// <summary>What the cell wrote, and what it showed: type and content of each.</summary>
    public IReadOnlyList<NotebookOutput> Outputs
    {
        get => [.. cell["outputs"]!.AsArray().Select(output => (string)output!["output_type"]! == "stream"
            ? new NotebookOutput(NotebookOutput.Stream, Joined(output["text"]!))
            : new NotebookOutput(output["data"]!.AsObject().Single().Key, Joined(output["data"]!.AsObject().Single().Value!)))];
        set => cell["outputs"] = new JsonArray([.. value.Select(output => output.Type == NotebookOutput.Stream
            ? new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = Lines(output.Content) }
            : new JsonObject { ["output_type"] = "display_data", ["data"] = new JsonObject { [output.Type] = Lines(output.Content) }, ["metadata"] = new JsonObject() })]);
    }

    private static string Joined(JsonNode text) => text is JsonArray lines ? string.Concat(lines.Select(line => (string)line!)) : (string)text!;

    private static JsonArray Lines(string text)
    {
        string[] lines = text.Split('\n');
        return [.. lines.Select((line, i) => i < lines.Length - 1 ? line + "\n" : line).Where(line => line.Length > 0).Select(line => JsonValue.Create(line))];
    }
}

/// <summary>One output of a cell.</summary>
/// <param name="Type">A MIME type, or <see cref="Stream"/> for what was written to the console.</param>
/// <param name="Content">The text.</param>
internal sealed record NotebookOutput(string Type, string Content)
{
    public const string Stream = "stream";
}
