using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>rerank</c>: the documents of each query in a better order, or the scores of every head.</summary>
internal static class RerankVerb
{
    private const int TableRows = 20;
    private const string Expected = """{"id"?,"query","documents":["…"]}""";

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Argument<string?> file = InputFile.Argument($"JSONL {Expected}");
        Option<int?> top = new("--top") { Description = "How many of the best are printed (default: all)." };
        Option<bool> raw = new("--raw") { Description = "Print logits, not scores from 0 to 1." };
        Option<string?> effort = new("--effort") { Description = "full (default), exit:LAYER, progressive or deadline:MILLISECONDS for each query." };
        Option<int?> maxLength = new("--max-length") { Description = "Most tokens of query and document together (default: what the model's folder says)." };
        Option<bool> allHeads = new("--all-heads") { Description = "Print the scores of every exit and dimension, in input order." };
        Option<FileInfo?> calibration = new("--calibration") { Description = "A file of 'eval calibrate-reranker': who carries on in progressive, and the blend." };
        Command command = new("rerank", "Puts the documents of a query in order, best first.")
        {
            file, shared.Json, shared.Out, top, raw, effort, maxLength, allHeads, calibration, shared.RerankModel, shared.Exit, shared.Dims, shared.Precision, shared.Threads,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            RerankOptions options = new()
            {
                Effort = Effort(parsed.GetValue(effort), SharedOptions.AtLeastOne(parsed, shared.Exit)),
                Dimension = parsed.GetValue(shared.Dims),
                MaxTokens = parsed.GetValue(maxLength),
                RawScores = parsed.GetValue(raw),
                Top = SharedOptions.AtLeastOne(parsed, top),
                Calibration = Calibration(parsed.GetValue(calibration)),
            };
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            using Rerankers rerankers = Rerankers.Open(shared, parsed, options, terminal);
            using OutputFile output = OutputFile.Open(parsed.GetValue(shared.Out), terminal, cancellationToken);
            JsonOutput? json = parsed.GetValue(shared.Json) || parsed.GetValue(shared.Out) is not null ? new(output.Stream) : null;
            using ProgressLine progress = new(terminal, "queries");
            Table table = new Table().AddColumns("query", "score", "document").RoundedBorder();
            bool heads = parsed.GetValue(allHeads);
            await LineLoop.RunAsync(lines, Expected, plain: false, output, progress, input => heads
                ? HeadsAsync(input, rerankers.Reranker, options.RawScores, json, table, cancellationToken)
                : OrderAsync(input, rerankers.Reranker, json, table, cancellationToken), cancellationToken);
            if (json is null)
            {
                terminal.People.Write(table);
                terminal.People.WriteLine("--json prints every document's place and score.");
            }

            return 0;
        });
        return command;
    }

    private static async Task OrderAsync(InputLine input, MmBertReranker reranker, JsonOutput? json, Table table, CancellationToken cancellationToken)
    {
        (string query, List<string> documents) = Read(input);
        IReadOnlyList<RankedItem<string>> ranked = await reranker.RerankAsync(query, documents, null, cancellationToken);
        json?.Line(input.Id, writer =>
        {
            writer.WriteStartArray("results");
            foreach (RankedItem<string> item in ranked)
            {
                writer.WriteStartObject();
                writer.WriteNumber("index", item.Index);
                if (item.Rerank.IsScored)
                {
                    writer.WriteNumber("score", item.Score);
                }
                else
                {
                    writer.WriteNull("score"); // the deadline came first
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
        if (json is null && ranked.Count > 0 && table.Rows.Count < TableRows)
        {
            Add(table, query, ranked[0].Score, ranked[0].Item);
        }
    }

    private static async Task HeadsAsync(InputLine input, MmBertReranker reranker, bool raw, JsonOutput? json, Table table, CancellationToken cancellationToken)
    {
        (string query, List<string> documents) = Read(input);
        IReadOnlyDictionary<string, float[]> heads = await reranker.ScoreEveryHeadAsync(query, documents, null, cancellationToken);
        json?.Line(input.Id, writer =>
        {
            writer.WriteStartObject("heads");
            foreach ((string head, float[] logits) in heads)
            {
                writer.WriteStartArray(head);
                foreach (float logit in logits)
                {
                    writer.WriteNumberValue(raw ? logit : 1 / (1 + MathF.Exp(-logit)));
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
        if (json is null && documents.Count > 0 && table.Rows.Count < TableRows)
        {
            foreach ((string head, float[] logits) in heads)
            {
                int best = Array.IndexOf(logits, logits.Max());
                Add(table, $"{Shorten.ToWidth(query, 30)} [{head}]", raw ? logits[best] : 1 / (1 + MathF.Exp(-logits[best])), documents[best]);
            }
        }
    }

    private static void Add(Table table, string query, float score, string document) => table.AddRow(
        new Text(Shorten.ToWidth(query, 40)), new Text(score.ToString("0.000", CultureInfo.InvariantCulture)), new Text(Shorten.ToWidth(document, 50)));

    private static (string Query, List<string> Documents) Read(InputLine input)
    {
        string query = input.Required("query", Expected);
        if (!input.Json.TryGetProperty("documents", out JsonElement listed) || listed.ValueKind != JsonValueKind.Array)
        {
            throw new InputException($"line {input.Number} has no list \"documents\". Expected: {Expected}. Everything before it is done.");
        }

        List<string> documents = new(listed.GetArrayLength());
        foreach (JsonElement document in listed.EnumerateArray())
        {
            documents.Add(document.ValueKind == JsonValueKind.String
                ? JsonText.Read(document)
                : throw new InputException($"line {input.Number} has a document that is {JsonText.Kind(document)}. Expected: {Expected}. Everything before it is done."));
        }

        return (query, documents);
    }

    private static RerankEffort Effort(string? text, int? exit)
    {
        if (text is null)
        {
            return exit is { } layer ? RerankEffort.Exit(layer) : RerankEffort.Full;
        }

        if (exit is not null)
        {
            throw new InputException("--exit and --effort were both given. Expected: one of them; --effort exit:LAYER says the same as --exit LAYER.");
        }

        try
        {
            return RerankEffort.Parse(text);
        }
        catch (FormatException error)
        {
            throw new InputException($"--effort: {error.Message}");
        }
    }

    private static RerankCalibration? Calibration(FileInfo? file)
    {
        if (file is { Exists: false })
        {
            throw new InputException($"There is no file '{file}'. Expected: a calibration that 'skmmbert eval calibrate-reranker --out FILE' wrote.");
        }

        return file is null ? null : RerankCalibration.Load(file.FullName);
    }
}
