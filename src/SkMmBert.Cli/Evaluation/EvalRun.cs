using System.CommandLine;
using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary>One evaluation in progress: the model, where rows go, and the exits and lengths asked for.</summary>
internal sealed class EvalRun : IDisposable
{
    private readonly OutputFile _file;
    private readonly SharedOptions _shared;
    private readonly ParseResult _parsed;

    private EvalRun(EvalOptions options, ParseResult parsed, Terminal terminal, CancellationToken cancellationToken)
    {
        (_shared, _parsed) = (options.Shared, parsed);
        Folder = options.Folder(parsed);
        Most = options.Most(parsed);
        Model = Models.Open(ModelNames.Find(parsed.GetValue(_shared.Model)!, "embedder"), _shared.ModelOptions(parsed), terminal);
        ModelManifest manifest = Model.Manifest;
        Exits = EvalOptions.Numbers(parsed, options.Exits, manifest.Exits, manifest.Exits.Count > 0 ? manifest.Exits[^1] : manifest.Layers);
        Dims = EvalOptions.Numbers(parsed, options.Dims, manifest.Dimensions, manifest.HiddenSize);
        if (Dims.FirstOrDefault(dims => dims > manifest.HiddenSize) is var wide && wide > 0)
        {
            throw new InputException($"--dims is {wide}. Expected: at most {manifest.HiddenSize}, the width of '{manifest.Id}'.");
        }

        _file = OutputFile.Open(parsed.GetValue(_shared.Out), terminal, cancellationToken);
        Output = new EvalOutput(_file, parsed.GetValue(_shared.Json) || parsed.GetValue(_shared.Out) is not null, manifest.Id, parsed.GetValue(_shared.Precision)!, terminal);
        Progress = new ProgressLine(terminal, "sets");
    }

    public string Folder { get; }

    public int Most { get; }

    public MmBertModel Model { get; }

    public IReadOnlyList<int> Exits { get; }

    public IReadOnlyList<int> Dims { get; }

    public EvalOutput Output { get; }

    public ProgressLine Progress { get; }

    /// <summary>Makes the verb of one kind of evaluation.</summary>
    public static Command Verb(string name, string what, EvalOptions options, Terminal terminal, Func<EvalRun, ParseResult, CancellationToken, Task> run, params Option[] others)
    {
        Command command = new(name, what);
        foreach (Option option in options.All.Cast<Option>().Concat(others))
        {
            command.Add(option);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            long started = Stopwatch.GetTimestamp();
            using EvalRun evaluation = new(options, parsed, terminal, cancellationToken);
            try
            {
                await run(evaluation, parsed, cancellationToken);
            }
            catch (Exception error) when (error is InvalidDataException or FormatException or System.Text.Json.JsonException or KeyNotFoundException)
            {
                throw new InputException($"The sets in '{evaluation.Folder}' cannot be read: {error.Message}");
            }

            evaluation.Output.Complete(Seconds(started));
            return 0;
        });
        return command;
    }

    /// <summary>A generator for one exit and length.</summary>
    public MmBertEmbeddingGenerator Generator(int exit, int? dims) => Models.Embedder(Model, new EmbeddingOptions
    {
        Exit = exit, Dimensions = dims, MaxTokens = Math.Min(512, Model.Manifest.ContextLength), Streams = SharedOptions.AtLeastOne(_parsed, _shared.Threads),
    });

    public void None(string expected) => throw new InputException($"'{Folder}' holds no set of this kind. Expected: {expected}.");

    public static double Seconds(long started) => Stopwatch.GetElapsedTime(started).TotalSeconds;

    public void Dispose()
    {
        Progress.Dispose();
        _file.Dispose();
        Model.Dispose();
    }
}
