using System.Reflection;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;

namespace SkMmBert.Notebooks.Tests;

/// <summary>Runs cells one after the other, each seeing what those before it defined.</summary>
internal sealed class NotebookRun
{
    private static readonly ScriptOptions s_options = ScriptOptions.Default.WithReferences(References()).WithEmitDebugInformation(true);

    private readonly NotebookScreen _screen = new();
    private ScriptState<object>? _state;

    /// <summary>Runs one cell and gives what it wrote and showed.</summary>
    public async Task<IReadOnlyList<NotebookOutput>> RunAsync(string source)
    {
        // Packages and assemblies are this project's own references; a kernel loads them by these lines.
        string code = string.Join('\n', source.Split('\n').Select(line => line.StartsWith("#r ", StringComparison.Ordinal) ? "" : line));
        TextWriter console = Console.Out;
        using StringWriter written = new() { NewLine = "\n" };
        Console.SetOut(written);
        try
        {
            _state = _state is null ? await CSharpScript.RunAsync(code, s_options, _screen, typeof(NotebookScreen)) : await _state.ContinueWithAsync(code);
            if (_state.ReturnValue is { } value)
            {
                _screen.display(value);
            }
        }
        finally
        {
            Console.SetOut(console);
        }

        List<NotebookOutput> outputs = [.. _screen.Take()];
        if (written.ToString() is { Length: > 0 } text)
        {
            outputs.Insert(0, new(NotebookOutput.Stream, text));
        }

        return outputs;
    }

    // Everything this program is made of, so that a cell may name any of it.
    private static IEnumerable<Assembly> References() => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(file => Path.GetFileName(file) is var name && !name.StartsWith("xunit", StringComparison.Ordinal) && !name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal))
        .Select(file => Assembly.Load(new AssemblyName(Path.GetFileNameWithoutExtension(file))));
}

/// <summary>What a kernel of .NET Interactive offers its cells, as far as the notebooks use it.</summary>
public sealed class NotebookScreen
{
    private readonly List<NotebookOutput> _shown = [];

    /// <summary>Marks a text as HTML.</summary>
    public Html HTML(string content) => new(content);

    /// <summary>Shows a value in the place of the cell's output.</summary>
    public void display(object value) => _shown.Add(value is Html html ? new("text/html", html.Content) : new("text/plain", value.ToString() ?? ""));

    internal NotebookOutput[] Take()
    {
        NotebookOutput[] shown = [.. _shown];
        _shown.Clear();
        return shown;
    }

    /// <summary>A text that is HTML.</summary>
    public sealed record Html(string Content);
}
