using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary>Where a verb reads and writes: data on the output, everything for people on the error writer.</summary>
/// <param name="Input">What <c>-</c> reads.</param>
/// <param name="Output">Where data goes.</param>
/// <param name="Error">Where tables, progress and errors go.</param>
/// <param name="Interactive">Whether a person watches the error writer, so that a progress bar makes sense.</param>
internal sealed record Terminal(Stream Input, Stream Output, TextWriter Error, bool Interactive)
{
    public static Terminal OfProcess()
    {
        Console.OutputEncoding = new System.Text.UTF8Encoding(false);
        return new(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, !Console.IsErrorRedirected);
    }

    private const int WidthOfALog = 120;

    /// <summary>The clock by which progress is shown: time since any fixed moment.</summary>
    public Func<TimeSpan> Clock { get; init; } = () => Stopwatch.GetElapsedTime(0);

    /// <summary>Tables and colours for people; plain and of a fixed width where nobody watches.</summary>
    public Spectre.Console.IAnsiConsole People { get; } = Writer(Error, Interactive);

    private static Spectre.Console.IAnsiConsole Writer(TextWriter error, bool interactive)
    {
        Spectre.Console.IAnsiConsole console = Spectre.Console.AnsiConsole.Create(new()
        {
            Out = new Spectre.Console.AnsiConsoleOutput(error),
            Interactive = Spectre.Console.InteractionSupport.No,
            Ansi = interactive ? Spectre.Console.AnsiSupport.Detect : Spectre.Console.AnsiSupport.No,
            ColorSystem = interactive ? Spectre.Console.ColorSystemSupport.Detect : Spectre.Console.ColorSystemSupport.NoColors,
        });
        if (!interactive)
        {
            console.Profile.Width = WidthOfALog;
        }

        return console;
    }
}
