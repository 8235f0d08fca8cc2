using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary>The FILE argument of a verb: a path, or <c>-</c> for stdin.</summary>
internal static class InputFile
{
    public static Argument<string?> Argument(string what) => new("FILE")
    {
        Description = $"{what}; none or - is stdin.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static TextLines Open(string? file, Terminal terminal)
    {
        file ??= "-";
        if (file.StartsWith('-') && file != "-")
        {
            throw new InputException($"There is no option '{file}'. Try 'skmmbert help' and the verb.");
        }

        try
        {
            return new(file == "-" ? terminal.Input : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16, FileOptions.SequentialScan));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new InputException($"The file '{file}' cannot be read. Expected: a file of JSONL or plain lines, or - for stdin.");
        }
    }
}
