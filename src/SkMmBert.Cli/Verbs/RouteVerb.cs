using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>route</c>: the few tools of a catalogue that each query needs, or none.</summary>
internal static class RouteVerb
{
    private const int TableRows = 20;
    private const string Expected = """{"id"?,"query"}""";

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Argument<string?> file = InputFile.Argument($"JSONL {Expected} or plain lines");
        Option<string> tools = new("--tools") { Description = $"The catalogue: JSONL {ToolFile.Expected}.", Required = true };
        Option<int?> top = new("--top") { Description = "A fixed number of tools for every query, without abstention." };
        Option<bool> rerank = new("--rerank") { Description = "Ask the reranker where the best tools are close to one another." };
        Option<FileInfo?> calibration = new("--calibration") { Description = "A file with what ToolCalibration.ToJson wrote." };
        Command command = new("route", "Chooses the tools a query needs, or none.")
        {
            file, shared.Json, shared.Out, tools, top, rerank, calibration, shared.Model, shared.RerankModel, shared.Exit, shared.Dims, shared.Precision, shared.Threads, shared.ExitNorm,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ToolRouterOptions options = new() { MinimumCatalogue = 0, Top = SharedOptions.AtLeastOne(parsed, top), Calibration = Calibration(parsed.GetValue(calibration)) };
            List<ToolProfile> profiles = ToolFile.Read(parsed.GetValue(tools)!, terminal);
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            using MmBertModel model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            MmBertEmbeddingGenerator generator = Models.Embedder(model, shared.EmbeddingOptions(parsed));
            using Rerankers? rerankers = parsed.GetValue(rerank) ? Rerankers.Open(shared, parsed, new RerankOptions(), terminal) : null;
            ToolRouter router = Router(generator, profiles, options with { Reranker = rerankers?.Reranker });
            using OutputFile output = OutputFile.Open(parsed.GetValue(shared.Out), terminal, cancellationToken);
            JsonOutput? json = parsed.GetValue(shared.Json) || parsed.GetValue(shared.Out) is not null ? new(output.Stream) : null;
            using ProgressLine progress = new(terminal, "queries");
            Table table = new Table().AddColumns("query", "tools", "ms").RoundedBorder();
            await router.IndexAsync(cancellationToken);
            await LineLoop.RunAsync(lines, Expected, plain: true, output, progress, async input =>
            {
                string query = input.Text ?? input.Required("query", Expected);
                RoutingDecision decision = await router.RouteAsync(query, cancellationToken);
                if (decision.Error is { } error)
                {
                    throw new InvalidOperationException(decision.Reason, error); // a verb has nobody to pass all tools on to
                }

                json?.Line(input.Id, writer => Write(writer, decision));
                if (json is null && table.Rows.Count < TableRows)
                {
                    table.AddRow(new Text(Shorten.ToWidth(query, 40)), new Text(Words(decision)), new Text(Milliseconds(decision).ToString("0.0", CultureInfo.InvariantCulture)));
                }
            }, cancellationToken);
            if (json is null)
            {
                terminal.People.Write(table);
                terminal.People.WriteLine($"{profiles.Count} tools in the catalogue; --json prints every decision.");
            }

            return 0;
        });
        return command;
    }

    private static void Write(Utf8JsonWriter writer, RoutingDecision decision)
    {
        writer.WriteStartArray("tools");
        foreach (RoutedTool tool in decision.Tools)
        {
            writer.WriteStartObject();
            writer.WriteString("name", tool.Profile.Name);
            writer.WriteNumber("score", tool.Score);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("abstained", decision.Abstained);
        writer.WriteNumber("milliseconds", Math.Round(Milliseconds(decision), 3));
    }

    private static double Milliseconds(RoutingDecision decision) => decision.Elapsed.TotalMilliseconds;

    private static string Words(RoutingDecision decision) => decision.Abstained
        ? $"none fits (confidence {decision.Confidence.ToString("0.00", CultureInfo.InvariantCulture)})"
        : string.Join(", ", decision.Tools.Take(5).Select(tool => $"{Shorten.ToWidth(tool.Name, 30)} {tool.Score.ToString("0.00", CultureInfo.InvariantCulture)}")) + (decision.Tools.Count > 5 ? $" and {decision.Tools.Count - 5} more" : "");

    private static ToolRouter Router(MmBertEmbeddingGenerator generator, List<ToolProfile> profiles, ToolRouterOptions options)
    {
        try
        {
            return new(generator, profiles, options);
        }
        catch (ArgumentException error)
        {
            throw new InputException(Models.OfTheCommandLine(error.Message));   // a calibration that another model has learned
        }
    }

    private static ToolCalibration Calibration(FileInfo? file)
    {
        if (file is null)
        {
            return ToolCalibration.Default;
        }

        try
        {
            return ToolCalibration.FromJson(File.ReadAllText(file.FullName));
        }
        catch (Exception error) when (error is FormatException or FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new InputException(error is FormatException ? $"'{file}': {error.Message}" : $"The file '{file}' cannot be read. Expected: what ToolCalibration.ToJson wrote.");
        }
    }
}
