using System.CommandLine;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>memory add</c> and <c>memory import</c>.</summary>
internal static class MemoryWriting
{
    private const string Expected = """{"id"?,"text","source"?,"metadata"?,"scope"?,"time"?}""";

    public static Command Add(Terminal terminal) => Create("add", $"Remembers texts: JSONL {Expected}.", terminal);

    public static Command Import(Terminal terminal) => Create("import", "Remembers what 'memory export' wrote.", terminal);

    private static Command Create(string name, string what, Terminal terminal)
    {
        Argument<string?> file = InputFile.Argument($"JSONL {Expected}");
        return MemorySession.Verb(name, what, terminal, create: true, async (parsed, open, cancellationToken) =>
        {
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            using MemorySession session = open(false);
            using ProgressLine progress = new(terminal, "texts");
            InputException? broken = null;
            RememberResult result = await session.Memory.RememberAsync(Items(), new Told(count => progress.Report(count, lines.Part)), cancellationToken);
            using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
            JsonOutput json = new(output.Stream);
            if (parsed.GetValue<bool>("--json"))
            {
                json.Line(null, writer =>
                {
                    writer.WriteNumber("added", result.Added);
                    writer.WriteNumber("duplicates", result.Duplicates);
                    writer.WriteNumber("chunks", result.Chunks);
                });
            }
            else
            {
                terminal.People.WriteLine($"{result.Added} texts added in {result.Chunks} chunks, {result.Duplicates} were there already.");
            }

            output.Complete();
            return broken is null ? 0 : throw broken;

            // A broken line ends the texts, so that all before it are stored first.
            IEnumerable<MemoryItem> Items()
            {
                using IEnumerator<InputLine> inputs = JsonLines.Read(lines, Expected, plain: false).GetEnumerator();
                while (true)
                {
                    MemoryItem item;
                    try
                    {
                        if (!inputs.MoveNext())
                        {
                            yield break;
                        }

                        item = Read(inputs.Current);
                    }
                    catch (InputException error)
                    {
                        broken = error;
                        yield break;
                    }

                    yield return item;
                }
            }
        }, file);
    }

    private static MemoryItem Read(InputLine input)
    {
        string text = input.Required("text", Expected);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new InputException($"line {input.Number} has an empty text. Expected: at least one visible character. Everything before it is done.");
        }

        try
        {
            return MemoryItem.FromJson(input.Json.GetRawText());
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException)
        {
            throw new InputException($"line {input.Number}: {error.Message} Everything before it is done.");
        }
    }
}

/// <summary>Progress that is told at once, on the thread that reports.</summary>
internal sealed class Told(Action<int> tell) : IProgress<int>
{
    public void Report(int value) => tell(value);
}

/// <summary>Progress in parts of the whole that is told at once.</summary>
internal sealed class ToldPart(Action<double> tell) : IProgress<double>
{
    public void Report(double value) => tell(value);
}
