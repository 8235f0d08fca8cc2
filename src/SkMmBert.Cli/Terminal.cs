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

    /// <summary>Tables and colours for people.</summary>
    public Spectre.Console.IAnsiConsole People { get; } = Spectre.Console.AnsiConsole.Create(new()
    {
        Out = new Spectre.Console.AnsiConsoleOutput(Error),
        Interactive = Spectre.Console.InteractionSupport.No,
        Ansi = Interactive ? Spectre.Console.AnsiSupport.Detect : Spectre.Console.AnsiSupport.No,
        ColorSystem = Interactive ? Spectre.Console.ColorSystemSupport.Detect : Spectre.Console.ColorSystemSupport.NoColors,
    });
}
