using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>tokenize</c>: the token ids of each text or pair, with their places in it.</summary>
internal static class TokenizeVerb
{
    private const int TableRows = 20, ShownIds = 12;
    private const string Expected = """{"text"} or {"text","pair"}""";

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Argument<string?> file = InputFile.Argument($"JSONL {Expected} or plain lines");
        Option<int?> maxLength = new("--max-length") { Description = "Most ids of a text or pair, special tokens included." };
        Option<bool> noSpecial = new("--no-special") { Description = "Leave out the special tokens around a text." };
        Option<FileInfo?> tokenizer = new("--tokenizer") { Description = "A tokenizer.json instead of a model's." };
        Command command = new("tokenize", "Turns texts into token ids.") { file, shared.Json, shared.Out, shared.Model, maxLength, noSpecial, tokenizer };
        command.SetAction((parsed, cancellationToken) =>
        {
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            TextTokenizer tokens = Open(parsed.GetValue(tokenizer), parsed.GetValue(shared.Model)!);
            bool special = !parsed.GetValue(noSpecial);
            int most = parsed.GetValue(maxLength) ?? int.MaxValue, least = special ? tokens.PairSpecialTokens : 1;
            if (most < least)
            {
                throw new InputException($"--max-length is {most}. Expected: at least {least}.");
            }

            using OutputFile output = OutputFile.Open(parsed.GetValue(shared.Out), terminal, cancellationToken);
            bool data = parsed.GetValue(shared.Json) || parsed.GetValue(shared.Out) is not null;
            Tokenize(lines, (text, pair) => pair is null ? tokens.Encode(text, most, special) : tokens.EncodePair(text, pair, most, special), data ? output : null, terminal, cancellationToken);
            return Task.FromResult(0);
        });
        return command;
    }

    private static TextTokenizer Open(FileInfo? file, string model)
    {
        if (file is { Exists: false })
        {
            throw new InputException($"There is no file '{file}'. Expected: a tokenizer.json.");
        }

        return TextTokenizer.Open(file?.FullName ?? Path.Combine(ModelNames.Find(model, "embedder"), "tokenizer.json"));
    }

    private static void Tokenize(TextLines lines, Func<string, string?, EncodedText> encode, OutputFile? output, Terminal terminal, CancellationToken cancellationToken)
    {
        using ProgressLine progress = new(terminal, "texts");
        JsonOutput? json = output is null ? null : new(output.Stream);
        Table table = new Table().AddColumns("text", "tokens", "ids").RoundedBorder();
        int done = 0;
        try
        {
            foreach (InputLine input in JsonLines.Read(lines, Expected))
            {
                cancellationToken.ThrowIfCancellationRequested();
                string text = input.Text ?? input.Required("text", Expected);
                EncodedText encoded = encode(text, input.Optional("pair"));
                json?.Line(input.Id, writer => Write(writer, encoded));
                if (json is null && done < TableRows)
                {
                    string ids = string.Join(' ', encoded.Ids.Take(ShownIds)) + (encoded.Ids.Length > ShownIds ? " …" : "");
                    table.AddRow(new Text(Shorten.ToWidth(text, 40)), new Text($"{encoded.Ids.Length}"), new Text(ids));
                }

                progress.Report(++done, lines.Part);
            }
        }
        catch (InputException)
        {
            output?.Complete(); // what stands before the broken line is kept
            throw;
        }

        output?.Complete();
        if (json is null)
        {
            terminal.People.Write(table);
            terminal.People.WriteLine($"{done} texts; --json prints ids and offsets.");
        }
    }

    private static void Write(Utf8JsonWriter writer, EncodedText encoded)
    {
        writer.WriteStartArray("ids");
        foreach (int id in encoded.Ids)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("offsets");
        foreach (TokenOffset offset in encoded.Offsets)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(offset.Start);
            writer.WriteNumberValue(offset.End);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        writer.WriteNumber("tokens", encoded.Ids.Length);
    }
}
