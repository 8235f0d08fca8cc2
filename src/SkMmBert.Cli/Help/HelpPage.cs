using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace SkMmBert.Cli;

/// <summary>The help page of a verb: what the library writes, then examples to copy.</summary>
internal sealed class HelpPage(HelpAction page) : SynchronousCommandLineAction
{
    private const int Width = 110;

    public override bool ClearsParseErrors => true;

    /// <summary>The option that shows the page of any verb.</summary>
    public static HelpOption Option()
    {
        HelpOption option = new() { Description = "Show this page." };
        HelpAction page = (HelpAction)option.Action!;
        page.MaxWidth = Width;
        option.Action = new HelpPage(page);
        return option;
    }

    public override int Invoke(ParseResult parseResult)
    {
        int code = page.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        string path = PathOf(parseResult.CommandResult);
        if (HelpExamples.Of(path) is { Count: > 0 } examples)
        {
            output.WriteLine("Examples:");
            foreach (string example in examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }

        if (path.Length == 0)
        {
            output.WriteLine("'skmmbert help VERB' explains a verb. Tables and progress go to stderr, data to stdout; the exit code is 0 (done),");
            output.WriteLine("1 (failed) or 2 (wrong usage or bad input).");
            output.WriteLine();
        }

        return code;
    }

    /// <summary>The words that lead to a command, without the program's name.</summary>
    private static string PathOf(CommandResult command)
    {
        List<string> words = [];
        for (CommandResult? at = command; at?.Parent is not null; at = at.Parent as CommandResult)
        {
            words.Insert(0, at.Command.Name);
        }

        return string.Join(' ', words);
    }
}
