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
        Command command = new("demo", "A tour: sentences in four languages, how alike they are, shorter vectors and earlier exits.") { shared.Json, shared.Model, shared.Precision };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            long started = Stopwatch.GetTimestamp();
            using MmBertModel model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            double opened = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            VectorTour tour = await VectorTour.TakeAsync(model, cancellationToken);
            if (parsed.GetValue(shared.Json))
            {
                using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
                JsonOutput json = new(output.Stream);
                Write(json, model, opened, tour);
                output.Complete();
            }
            else
            {
                Show(terminal.People, model, opened, tour);
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
        people.WriteLine("Next: 'embed FILE --json' for your own texts, 'verify' for the published numbers, 'help' for everything.");
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
