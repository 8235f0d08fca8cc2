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
        Command command = new("pull", "Downloads a model.") { name, shared.Json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DownloadedModel model = await PullAsync(parsed.GetValue(name)!, terminal, cancellationToken);
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
                terminal.People.WriteLine($"{model.Repository} is in {model.Folder} ({model.Bytes / 1e6:0.0} MB).");
            }

            return 0;
        });
        return command;
    }

    private static async Task<DownloadedModel> PullAsync(string name, Terminal terminal, CancellationToken cancellationToken)
    {
        using ModelHub hub = new(HubOptions.FromEnvironment());
        using ProgressLine progress = new(terminal, "MB");
        try
        {
            return await hub.PullAsync(name, null, new Report(state => progress.Report(state.Bytes / 1_000_000, state.TotalBytes > 0 ? (double)state.Bytes / state.TotalBytes : null)), cancellationToken);
        }
        catch (ArgumentException error)
        {
            throw new InputException(Models.OfTheCommandLine(error.Message));
        }
    }

    private sealed class Report(Action<PullProgress> report) : IProgress<PullProgress>
    {
        void IProgress<PullProgress>.Report(PullProgress value) => report(value);
    }
}
