using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>demo</c>: the tour on real input, with times.</summary>
internal static class DemoVerb
{
    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Command command = new("demo", "A tour: how alike sentences are, the right few of sixty tools, a memory that shows its evidence.") { shared.Json, shared.Model, shared.RerankModel, shared.Precision };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            long started = Stopwatch.GetTimestamp();
            using MmBertModel model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            double opened = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            VectorTour tour = await VectorTour.TakeAsync(model, cancellationToken);
            MmBertEmbeddingGenerator embedder = new(model);
            RoutingTour routing = await RoutingTour.TakeAsync(embedder, cancellationToken);
            using Rerankers rerankers = Rerankers.Open(shared, parsed, new RerankOptions(), terminal);
            MemoryTour memory = await MemoryTour.TakeAsync(embedder, rerankers.Reranker, cancellationToken);
            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                JsonOutput json = new(output.Stream);
                Write(json, model, opened, tour);
                routing.Turns.ToList().ForEach(turn => json.Line(null, writer => Write(writer, turn)));
                memory.Turns.ToList().ForEach(turn => json.Line(null, writer => Write(writer, turn)));
                output.Complete();
            }
            else
            {
                Show(terminal.People, model, opened, tour);
                Show(terminal.People, routing);
                Show(terminal.People, memory);
                terminal.People.WriteLine("Next: 'embed FILE --json', 'route --tools FILE', 'memory add --store FILE' for your own,");
                terminal.People.WriteLine("'verify' for the published numbers, 'help' for everything.");
            }

            return 0;
        });
        return command;
    }

    private static void Show(IAnsiConsole people, MmBertModel model, double opened, VectorTour tour)
    {
        string[] sentences = VectorTour.Sentences;
        people.WriteLine($"{model.Manifest.Id}: {model.Manifest.Layers} layers, vectors of {model.Manifest.HiddenSize}, opened in {opened:0} ms.");
        people.WriteLine();
        people.WriteLine("How alike are these sentences (cosine)?");
        Table table = new Table().AddColumn("").RoundedBorder();
        for (int i = 1; i <= sentences.Length; i++)
        {
            table.AddColumn(new TableColumn($"{i}").RightAligned());
        }

        for (int i = 0; i < sentences.Length; i++)
        {
            table.AddRow([new Text($"{i + 1} {sentences[i]}"), .. Enumerable.Range(0, sentences.Length).Select(j => new Text($"{tour.Cosine(i, j):0.00}"))]);
        }

        people.Write(table);
        people.WriteLine();
        people.WriteLine("The same six with shorter vectors and earlier exits:");
        table = new Table().AddColumns("exit", "dims", "ms", "cosine 1-2", "cosine 1-5", "same nearest").RoundedBorder();
        foreach (VectorTour.Stop stop in tour.Stops)
        {
            table.AddRow($"{stop.Exit}", $"{stop.Dimensions}", $"{stop.Milliseconds:0.0}", $"{stop.Alike:0.00}", $"{stop.Unlike:0.00}", $"{stop.SameNearest} of {sentences.Length}");
        }

        people.Write(table);
        people.WriteLine();
    }

    private static void Show(IAnsiConsole people, RoutingTour tour)
    {
        people.WriteLine($"Which of {RoutingTour.Tools} tools does a question need? (indexed in {tour.BuildMilliseconds:0} ms)");
        Table table = new Table().AddColumns("question", "tools", "ms").RoundedBorder();
        foreach (RoutingTour.Turn turn in tour.Turns)
        {
            string tools = turn.Abstained ? "no tool fits" : string.Join(", ", turn.Tools.Select(tool => $"{tool.Name} {tool.Score:0.00}"));
            table.AddRow(new Text(turn.Question), new Text(tools), new Text($"{turn.Milliseconds:0.0}"));
        }

        people.Write(table);
        people.WriteLine();
    }

    private static void Show(IAnsiConsole people, MemoryTour tour)
    {
        people.WriteLine($"What does a memory of {MemoryTour.Items} items know? (written in {tour.WriteMilliseconds:0} ms; the last column is the cross-encoder's score)");
        Table table = new Table().AddColumns("question", "evidence", "trail", "rerank").RoundedBorder();
        foreach (MemoryTour.Turn turn in tour.Turns)
        {
            if (turn.Found.Count == 0)
            {
                table.AddRow(new Text(turn.Question), new Text("nothing relevant"), new Text($"{turn.RecallMilliseconds:0.0} ms"), new Text(""));
            }

            for (int i = 0; i < turn.Found.Count; i++)
            {
                Evidence evidence = turn.Found[i];
                string trail = string.Join(" · ", evidence.Trail.Select(stage => $"{stage.Stage} {stage.Score:0.00}"));
                table.AddRow(new Text(i == 0 ? turn.Question : ""), new Text($"{evidence.Text} ({evidence.Source})"), new Text(trail), new Text($"{turn.Scores[i]:0.00}"));
            }
        }

        people.Write(table);
    }

    private static void Write(Utf8JsonWriter writer, RoutingTour.Turn turn)
    {
        writer.WriteString("part", "routing");
        writer.WriteString("query", turn.Question);
        writer.WriteStartArray("tools");
        foreach ((string name, float score) in turn.Tools)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteNumber("score", score);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("abstained", turn.Abstained);
        writer.WriteNumber("milliseconds", Math.Round(turn.Milliseconds, 2));
    }

    private static void Write(Utf8JsonWriter writer, MemoryTour.Turn turn)
    {
        writer.WriteString("part", "memory");
        writer.WriteString("query", turn.Question);
        writer.WriteStartArray("evidence");
        for (int i = 0; i < turn.Found.Count; i++)
        {
            writer.WriteStartObject();
            writer.WriteString("text", turn.Found[i].Text);
            writer.WriteString("source", turn.Found[i].Source);
            writer.WriteNumber("score", turn.Found[i].Score);
            writer.WriteNumber("rerank", turn.Scores[i]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("milliseconds", Math.Round(turn.RecallMilliseconds, 2));
        writer.WriteNumber("rerank_milliseconds", Math.Round(turn.RerankMilliseconds, 2));
    }

    private static void Write(JsonOutput json, MmBertModel model, double opened, VectorTour tour)
    {
        json.Line(null, writer =>
        {
            writer.WriteString("part", "model");
            writer.WriteString("model", model.Manifest.Id);
            writer.WriteNumber("open_milliseconds", Math.Round(opened, 1));
        });
        for (int i = 0; i < VectorTour.Sentences.Length; i++)
        {
            json.Line(null, writer => WriteCosines(writer, tour, i));
        }

        foreach (VectorTour.Stop stop in tour.Stops)
        {
            json.Line(null, writer =>
            {
                writer.WriteString("part", "vectors");
                writer.WriteNumber("exit", stop.Exit);
                writer.WriteNumber("dims", stop.Dimensions);
                writer.WriteNumber("milliseconds", Math.Round(stop.Milliseconds, 2));
                writer.WriteNumber("alike", stop.Alike);
                writer.WriteNumber("unlike", stop.Unlike);
                writer.WriteNumber("same_nearest", stop.SameNearest);
            });
        }
    }

    private static void WriteCosines(Utf8JsonWriter writer, VectorTour tour, int sentence)
    {
        writer.WriteString("part", "similarity");
        writer.WriteString("text", VectorTour.Sentences[sentence]);
        writer.WriteStartArray("cosines");
        for (int other = 0; other < VectorTour.Sentences.Length; other++)
        {
            writer.WriteNumberValue(tour.Cosine(sentence, other));
        }

        writer.WriteEndArray();
    }
}
