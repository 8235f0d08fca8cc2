using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>verify</c>: runs whatever a model offers: the numbers published with it (<c>conformance.json</c>, or the pair of a reranker's card), else what must hold
/// for any model; and says what was found about the questions its publisher leaves open.</summary>
internal static class VerifyVerb
{
    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Option<string?> model = new("--model") { Description = "A model folder or a known name (default: both models of the mini pair)." };
        Option<bool> findings = new("--findings") { Description = "With --json: also what was found about the questions publishers leave open." };
        Command command = new("verify", "Checks models against what was published with them, or for consistency, and says what their files decide.") { model, findings, shared.Json, shared.Precision };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            List<ConformanceCase> cases = [];
            List<Finding> found = [];
            foreach (string folder in Folders(parsed.GetValue(model) ?? "mini"))
            {
                ModelOptions options = shared.ModelOptions(parsed);
                using MmBertModel opened = Models.Open(folder, options, terminal);
                cases.AddRange(Conformance.FileOf(folder) is { } file ? await Conformance.RunAsync(opened, file, terminal, cancellationToken)
                    : opened.Manifest.HasScoreHeads ? await RerankerCheck.RunAsync(opened, cancellationToken) : await SelfConsistency.RunAsync(opened, options, cancellationToken));
                if (!parsed.GetValue(shared.Json) || parsed.GetValue(findings))
                {
                    found.AddRange(await ModelFindings.ReadAsync(opened, options, terminal, cancellationToken));
                }
            }

            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                JsonOutput json = new(output.Stream);
                cases.ForEach(one => json.Line(null, writer => Write(writer, one)));
                found.ForEach(one => json.Line(null, writer => Write(writer, one)));
                output.Complete();
            }
            else
            {
                Show(cases, terminal.People);
                Show(found, terminal.People);
            }

            return cases.TrueForAll(one => one.Ok) ? 0 : 1;
        });
        return command;
    }

    private static IEnumerable<string> Folders(string name) =>
        name == "mini" ? [ModelNames.Find(name, "embedder"), ModelNames.Find(name, "reranker")] : [ModelNames.Find(name, "embedder")];

    private static void Write(Utf8JsonWriter writer, ConformanceCase one)
    {
        writer.WriteString("model", one.Model);
        writer.WriteString("case", one.Name);
        writer.WriteNumber("max_difference", one.MaxDifference);
        writer.WriteBoolean("ids_equal", one.IdsEqual);
        writer.WriteBoolean("ok", one.Ok);
    }

    private static void Write(Utf8JsonWriter writer, Finding one)
    {
        writer.WriteString("model", one.Model);
        writer.WriteString("question", one.Question);
        writer.WriteString("found", one.Answer);
    }

    private static void Show(List<Finding> findings, IAnsiConsole people)
    {
        Table table = new Table().AddColumns("model", "left open by publishers", "found").RoundedBorder();
        findings.ForEach(one => table.AddRow(new Text(one.Model), new Text(one.Question), new Text(one.Answer)));
        people.Write(table);
    }

    private static void Show(List<ConformanceCase> cases, IAnsiConsole people)
    {
        Table table = new Table().AddColumns("model", "case", "max difference", "ok").RoundedBorder();
        foreach (ConformanceCase one in cases)
        {
            string ok = one.Ok ? "ok" : one.IdsEqual ? $"over {Number(one.Tolerance)}" : "other ids";
            table.AddRow(new Text(one.Model), new Text(Shorten.ToWidth(one.Name, 48)), new Text(Number(one.MaxDifference)), new Text(ok));
        }

        people.Write(table);
        people.WriteLine($"{cases.Count(one => one.Ok)} of {cases.Count} cases ok.");
    }

    private static string Number(double value) => value.ToString("0.0e+0", CultureInfo.InvariantCulture);
}
