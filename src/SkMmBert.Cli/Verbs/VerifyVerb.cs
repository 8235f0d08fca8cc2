using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>verify</c>: runs a model's <c>conformance.json</c>, the ids and numbers that were published with it.</summary>
internal static class VerifyVerb
{
    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Option<string?> model = new("--model") { Description = "A model folder or a known name (default: both models of the mini pair)." };
        Command command = new("verify", "Checks models against the numbers that were published with them.") { model, shared.Json, shared.Precision };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            List<ConformanceCase> cases = [];
            foreach (string folder in Folders(parsed.GetValue(model) ?? "mini"))
            {
                cases.AddRange(await Conformance.RunAsync(folder, shared.ModelOptions(parsed), terminal, cancellationToken));
            }

            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                JsonOutput json = new(output.Stream);
                cases.ForEach(one => json.Line(null, writer => Write(writer, one)));
                output.Complete();
            }
            else
            {
                Show(cases, terminal.People);
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
