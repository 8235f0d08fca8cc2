using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;

namespace SkMmBert.Cli;

/// <summary>The <c>skmmbert</c> command: one verb per file in <c>Verbs</c>.</summary>
internal static class Program
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    public static async Task<int> Main(string[] args)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        Terminal terminal = Terminal.OfProcess();
        Task<int> running = Task.Run(() => RunAsync(args, terminal, stop.Token));
        if (await Task.WhenAny(running, EndOfGraceAsync(stop.Token)) != running)
        {
            terminal.Error.WriteLine("error: " + OneLine(new OperationCanceledException())); // it waits for input that does not come
            return Leave(1, terminal);
        }

        int code = await running;
        return stop.IsCancellationRequested ? Leave(code, terminal) : code;

        // The second Ctrl-C ends the process at once.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    // A run that was left may still be inside the native runtime, whose clean-up at a normal exit can wait for it for ever.
    private static int Leave(int code, Terminal terminal)
    {
        terminal.Error.Flush();
        if (!OperatingSystem.IsWindows())
        {
            ExitNow(code);
        }

        return code;
    }

    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void ExitNow(int code);

    /// <summary>Runs one command line. 0: done, 1: failed, 2: wrong usage or bad input.</summary>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        Command root = Root(terminal);
        ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        try
        {
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpPage)
            {
                throw new InputException(WhatIsWrong(root, parsed));
            }

            using StreamWriter help = new(terminal.Output, leaveOpen: true);
            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = help, Error = terminal.Error };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (Exception error)
        {
            terminal.Error.WriteLine("error: " + OneLine(error));
            return error is InputException ? 2 : 1;
        }
    }

    /// <summary>The command with all its verbs.</summary>
    public static Command Root(Terminal terminal)
    {
        Command root = new("skmmbert", "Local mmBERT models for agents: vectors, a better order, the right few tools, a memory that shows its evidence.")
        {
            HelpPage.Option(),
            new VersionOption { Description = "Show the version." },
            DemoVerb.Create(terminal),
            EmbedVerb.Create(terminal),
            RerankVerb.Create(terminal),
            RouteVerb.Create(terminal),
            MemoryVerb.Create(terminal),
            EvalVerb.Create(terminal),
            TokenizeVerb.Create(terminal),
            ModelsVerb.Create(terminal),
            PullVerb.Create(terminal),
            VerifyVerb.Create(terminal),
            BenchVerb.Create(terminal),
            PlotVerb.Create(terminal),
            CompletionVerb.Create(terminal),
        };
        root.Add(HelpVerb.Create(root));
        root.Add(CompletionVerb.Answer(root, terminal));
        HelpOptions.Apply(root);
        return root;
    }

    private static async Task EndOfGraceAsync(CancellationToken stop)
    {
        TaskCompletionSource stopped = new();
        using CancellationTokenRegistration registration = stop.Register(stopped.SetResult);
        await stopped.Task;
        await Task.Delay(Grace, CancellationToken.None);
    }

    private static string WhatIsWrong(Command root, ParseResult parsed)
    {
        CommandResult verb = parsed.CommandResult;
        while (verb.Parent is CommandResult outer && outer.Command != root)
        {
            verb = outer; // 'memory recall' is explained with 'memory'
        }

        string help = verb.Command == root ? "'skmmbert help'" : $"'skmmbert help {verb.Command.Name}'";
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
