using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>memory calibrate</c>: the floor below which a memory says nothing, from questions or from the store itself.</summary>
internal static class MemoryCalibrating
{
    private const string Expected = """{"query","answers":[ids or sources, none if it has no answer],"scope"?}""";

    public static Command Create(Terminal terminal)
    {
        Argument<string?> file = new("FILE") { Description = $"JSONL {Expected}; - is stdin; without one the questions are made from the store.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> rerank = new("--rerank") { Description = "Also find out whether the reranker helps." };
        return MemorySession.Verb("calibrate", "Finds the floor below which nothing is said.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            List<MemoryQuestion>? questions = parsed.GetValue(file) is { } given ? Read(given, terminal) : null;
            using MemorySession session = open(parsed.GetValue(rerank));
            MemoryCalibration found = await session.Memory.CalibrateAsync(questions, cancellationToken);
            using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
            if (parsed.GetValue<bool>("--json"))
            {
                new JsonOutput(output.Stream).Line(null, writer =>
                {
                    writer.WriteNumber("floor", found.Floor);
                    writer.WriteNumber("found", found.Found);
                    writer.WriteNumber("false_evidence", found.FalseEvidence);
                    if (found.RerankHelps is { } helps)
                    {
                        writer.WriteBoolean("rerank_helps", helps);
                    }
                });
            }
            else
            {
                terminal.People.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"--floor {found.Floor:0.00} keeps {found.Found:P0} of the answers; {found.FalseEvidence:P0} of the questions without one still get evidence.{(found.RerankHelps is { } helps ? helps ? " Reranking helps." : " Reranking does not help." : "")}"));
            }

            output.Complete();
            return 0;
        }, file, rerank);
    }

    private static List<MemoryQuestion> Read(string file, Terminal terminal)
    {
        using TextLines lines = InputFile.Open(file, terminal);
        List<MemoryQuestion> questions = [.. JsonLines.Read(lines, Expected, plain: false).Select(Question)];
        return questions.Count > 0 ? questions : throw new InputException($"There are no questions. Expected: lines of {Expected}.");
    }

    private static MemoryQuestion Question(InputLine input)
    {
        string query = input.Required("query", Expected);
        if (!input.Json.TryGetProperty("answers", out JsonElement answers) || answers.ValueKind != JsonValueKind.Array || answers.EnumerateArray().Any(answer => answer.ValueKind != JsonValueKind.String))
        {
            throw new InputException($"line {input.Number} has no list \"answers\" of texts. Expected: {Expected}.");
        }

        return new MemoryQuestion(query, [.. answers.EnumerateArray().Select(answer => answer.GetString()!)]) { Scope = MemoryRecall.ScopeOf(input) };
    }
}
