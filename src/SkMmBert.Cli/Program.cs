using System.CommandLine;
using System.CommandLine.Help;

namespace SkMmBert.Cli;

/// <summary>The <c>skmmbert</c> command: one verb per file in <c>Verbs</c>.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, Terminal.OfProcess());

    /// <summary>Runs one command line. 0: done, 1: failed, 2: wrong usage or bad input.</summary>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        RootCommand root = new("skmmbert: vectors, tokens and checks of local mmBERT models.")
        {
            DemoVerb.Create(terminal),
            EmbedVerb.Create(terminal),
            TokenizeVerb.Create(terminal),
            ModelsVerb.Create(terminal),
            VerifyVerb.Create(terminal),
        };
        root.Add(HelpVerb.Create(root));
        ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        try
        {
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
            {
                throw new InputException($"{parsed.Errors[0].Message.TrimEnd('.')}. Try 'skmmbert help'.");
            }

            using StreamWriter help = new(terminal.Output, leaveOpen: true);
            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, Output = help, Error = terminal.Error };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (Exception error)
        {
            terminal.Error.WriteLine("error: " + OneLine(error));
            return error is InputException ? 2 : 1;
        }
    }

    private static string OneLine(Exception error) =>
        (error is OperationCanceledException ? "cancelled before the end; a file that was being written is not left behind." : error.Message).ReplaceLineEndings(" ");
}
