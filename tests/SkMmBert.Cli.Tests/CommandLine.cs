using System.Text;
using System.Text.Json;

namespace SkMmBert.Cli.Tests;

/// <summary>Runs a command line in this process and keeps what it wrote; where a person watches, a second goes by from one look at the clock to the next.</summary>
internal sealed record CommandLine(int ExitCode, byte[] Data, string Error)
{
    public string[] Lines => Encoding.UTF8.GetString(Data).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement[] Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The error, which is one line that ends with the last character.</summary>
    public string OneError => Error.EndsWith('\n') && Error.TrimEnd('\n').Count(c => c == '\n') == 0 && Error.StartsWith("error: ", StringComparison.Ordinal)
        ? Error.TrimEnd('\n') : throw new InvalidDataException($"not one error line: {Error}");

    public static Task<CommandLine> RunAsync(string arguments, string input = "", bool interactive = false, CancellationToken cancellationToken = default) =>
        RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), new MemoryStream(Encoding.UTF8.GetBytes(input)), interactive, cancellationToken);

    public static async Task<CommandLine> RunAsync(string[] arguments, Stream input, bool interactive = false, CancellationToken cancellationToken = default)
    {
        using MemoryStream output = new();
        using StringWriter error = new() { NewLine = "\n" };
        int looks = 0;
        TimeSpan ASecondLater() => TimeSpan.FromSeconds(Interlocked.Increment(ref looks));
        Terminal terminal = new(input, output, error, interactive);
        int code = await Program.RunAsync(arguments, interactive ? terminal with { Clock = ASecondLater } : terminal, cancellationToken);
        return new(code, output.ToArray(), error.ToString());
    }
}
