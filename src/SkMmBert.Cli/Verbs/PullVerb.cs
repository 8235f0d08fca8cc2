using System.CommandLine;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>pull</c>: downloads a model into the Hugging Face cache; what has arrived is kept and checked.</summary>
internal static class PullVerb
{
    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Argument<string> name = new("NAME") { Description = "A known name or owner/name, both with an optional @revision." };
        Option<bool> onnx = new("--onnx") { Description = "The graphs its publisher made, instead of the weights from which every exit can be written." };
        Command command = new("pull", "Downloads a model.") { name, onnx, shared.Json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DownloadedModel model = await PullAsync(parsed.GetValue(name)!, parsed.GetValue(onnx) ? WeightFormat.Onnx : WeightFormat.Safetensors, terminal, cancellationToken);
            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                new JsonOutput(output.Stream).Line(null, writer =>
                {
                    writer.WriteString("repository", model.Repository);
                    writer.WriteString("revision", model.Revision);
                    writer.WriteString("folder", model.Folder);
                    writer.WriteNumber("bytes", model.Bytes);
                    writer.WriteString("license", model.License);
                });
                output.Complete();
            }
            else
            {
                terminal.People.WriteLine(FormattableString.Invariant($"{model.Repository} is in {model.Folder} ({model.Bytes / 1e6:0.0} MB, licence: {model.License ?? "none stated in its card"})."));
                terminal.People.WriteLine($"Check it with 'skmmbert verify --model {parsed.GetValue(name)}'.");
            }

            return 0;
        });
        return command;
    }

    private static async Task<DownloadedModel> PullAsync(string name, WeightFormat weights, Terminal terminal, CancellationToken cancellationToken)
    {
        using ModelHub hub = new(HubOptions.FromEnvironment());
        using ProgressLine progress = new(terminal, "MB");
        if (KnownModel.Find(name.Split('@')[0]) is { } known)
        {
            terminal.People.WriteLine($"{known.Repository}, licence {known.License}: {known.Use}");
        }

        try
        {
            return await hub.PullAsync(name, new() { Weights = weights }, new Report(state => progress.Report(state.Bytes / 1_000_000, state.TotalBytes > 0 ? (double)state.Bytes / state.TotalBytes : null, What(state), state.Remaining)), cancellationToken);
        }
        catch (ArgumentException error)
        {
            throw new InputException(Models.OfTheCommandLine(error.Message));
        }
    }

    // What a bar cannot show: how fast it goes, or why it does not.
    private static string What(PullProgress state) => state.State switch
    {
        PullState.Waiting => "another process downloads it",
        PullState.Retrying => "trying again",
        PullState.Verifying => "checking",
        _ => FormattableString.Invariant($"{state.BytesPerSecond / 1e6:0.0} MB/s"),
    };

    private sealed class Report(Action<PullProgress> report) : IProgress<PullProgress>
    {
        void IProgress<PullProgress>.Report(PullProgress value) => report(value);
    }
}
