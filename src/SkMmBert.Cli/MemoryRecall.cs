using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>memory recall</c>: evidence for each question, with the trail of stages that chose it.</summary>
internal static class MemoryRecall
{
    private const int TableRows = 20;
    private const string Expected = """{"id"?,"query","scope"?}""";

    public static Command Create(Terminal terminal)
    {
        Argument<string?> file = InputFile.Argument($"JSONL {Expected} or plain lines");
        Option<int?> top = new("--top") { Description = "Most evidence for a question (default: 5)." };
        Option<bool> rerank = new("--rerank") { Description = "Put the last candidates in order with the reranker." };
        Option<bool> noRerank = new("--no-rerank") { Description = "Keep the order of vectors and words (default)." };
        Option<float?> floor = new("--floor") { Description = "Least fused score of evidence, from 0 to 1 (default: 0.2)." };
        Option<string?> scope = new("--scope") { Description = "The scope of questions that name none, such as user=ada." };
        MemoryConditions conditions = new();
        return MemorySession.Verb("recall", $"Finds evidence for questions: JSONL {Expected} or plain lines.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            if (parsed.GetValue(rerank) && parsed.GetValue(noRerank))
            {
                throw new InputException("--rerank and --no-rerank were both given. Expected: one of them.");
            }

            RecallOptions options = new() { Top = SharedOptions.AtLeastOne(parsed, top) ?? 5, Floor = parsed.GetValue(floor), Scope = Scope(parsed.GetValue(scope)) };
            options = conditions.Read(parsed, options with { Candidates = Math.Max(options.Candidates, options.Top) });
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            using MemorySession session = open(parsed.GetValue(rerank));
            using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
            JsonOutput? json = parsed.GetValue<bool>("--json") ? new(output.Stream) : null;
            using ProgressLine progress = new(terminal, "questions");
            Table table = new Table().AddColumns("question", "score", "evidence", "source").RoundedBorder();
            await LineLoop.RunAsync(lines, Expected, plain: true, output, progress, async input =>
            {
                string question = input.Text ?? input.Required("query", Expected);
                IReadOnlyList<Evidence> evidence = await session.Memory.RecallAsync(question, options with { Scope = ScopeOf(input) ?? options.Scope }, cancellationToken);
                json?.Line(input.Id, writer => Write(writer, evidence));
                if (json is null && table.Rows.Count < TableRows)
                {
                    AddRows(table, question, evidence);
                }
            }, cancellationToken);
            if (json is null)
            {
                terminal.People.Write(table);
                terminal.People.WriteLine("--json prints ids, ranges and the trail of each.");
            }

            return 0;
        }, [file, top, rerank, noRerank, floor, scope, .. conditions.Options]);
    }

    /// <summary>Reads a scope off the command line.</summary>
    public static MemoryScope? Scope(string? text)
    {
        try
        {
            return text is null ? null : MemoryScope.Parse(text);
        }
        catch (FormatException error)
        {
            throw new InputException(error.Message);
        }
    }

    public static MemoryScope? ScopeOf(InputLine input)
    {
        if (input.Json.ValueKind != JsonValueKind.Object || !input.Json.TryGetProperty("scope", out JsonElement scope))
        {
            return null;
        }

        try
        {
            return MemoryItem.FromJson($$"""{"text":"","scope":{{scope.GetRawText()}}}""").Scope;
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException)
        {
            throw new InputException($"line {input.Number}: {error.Message} Everything before it is done.");
        }
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<Evidence> evidence)
    {
        writer.WriteStartArray("evidence");
        foreach (Evidence one in evidence)
        {
            writer.WriteStartObject();
            writer.WriteString("id", one.Id);
            writer.WriteString("source", one.Source);
            writer.WriteString("text", one.Text);
            writer.WriteNumber("start", one.Start);
            writer.WriteNumber("end", one.End);
            writer.WriteNumber("score", one.Score);
            writer.WriteStartArray("trail");
            foreach (EvidenceStage stage in one.Trail)
            {
                writer.WriteStartObject();
                writer.WriteString("stage", stage.Stage);
                writer.WriteNumber("score", float.IsFinite(stage.Score) ? stage.Score : 0);
                writer.WriteNumber("rank", stage.Rank);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void AddRows(Table table, string question, IReadOnlyList<Evidence> evidence)
    {
        if (evidence.Count == 0)
        {
            table.AddRow(new Text(Shorten.ToWidth(question, 30)), new Text(""), new Text("nothing relevant"), new Text(""));
        }

        for (int i = 0; i < evidence.Count; i++)
        {
            table.AddRow(new Text(i == 0 ? Shorten.ToWidth(question, 30) : ""), new Text(evidence[i].Score.ToString("0.00", CultureInfo.InvariantCulture)),
                new Text(Shorten.ToWidth(evidence[i].Text, 50)), new Text(Shorten.ToWidth(evidence[i].Source ?? "", 20)));
        }
    }
}
