using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace SkMmBert.Cli;

/// <summary>The <c>skmmbert</c> command: one verb per file in <c>Verbs</c>.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, Terminal.OfProcess());

    /// <summary>Runs one command line. 0: done, 1: failed, 2: wrong usage or bad input.</summary>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        Command root = new("skmmbert", "Vectors, tokens and checks of local mmBERT models.")
        {
            new HelpOption(),
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
                throw new InputException(WhatIsWrong(root, parsed));
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

    private static string WhatIsWrong(Command root, ParseResult parsed)
    {
        string help = parsed.CommandResult.Command == root ? "'skmmbert help'" : $"'skmmbert help {parsed.CommandResult.Command.Name}'";
        if (parsed.Errors[0].SymbolResult is OptionResult { Tokens: [{ Value: string value }], Option: Option<int?> option })
        {
            return $"{option.Name} is '{value}'. Expected: a whole number.";
        }

        return parsed.UnmatchedTokens.Count == 0 ? $"{parsed.Errors[0].Message.TrimEnd('.')}. Try {help}."
            : parsed.CommandResult.Command == root ? $"There is no verb '{parsed.UnmatchedTokens[0]}'. Expected: one of {HelpVerb.Names(root)}. Try {help}."
            : $"'{parsed.CommandResult.Command.Name}' does not know '{parsed.UnmatchedTokens[0]}'. Try {help}.";
    }

    private static string OneLine(Exception error) =>
        string.Join(' ', (error is OperationCanceledException ? "Cancelled before the end; no half file is left behind." : error.Message).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
