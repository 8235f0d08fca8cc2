using System.CommandLine;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary><c>embed</c>: a vector for each text, in input order.</summary>
internal static class EmbedVerb
{
    private const int WindowTexts = 1024, WindowCharacters = 1 << 20;
    private const string Expected = """{"id"?,"text"}""";

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Argument<string?> file = InputFile.Argument($"JSONL {Expected} or plain lines");
        Option<string?> format = SharedOptions.OneOf(new Option<string?>("--format") { Description = "jsonl or npy (a NumPy array of float32)." }, "jsonl", "npy");
        Option<int?> maxLength = new("--max-length") { Description = "Tokens kept of a text (default: the model's context length)." };
        Command command = new("embed", "Turns texts into vectors.")
        {
            file, shared.Json, format, shared.Out, shared.Model, shared.Exit, shared.Dims, shared.Precision, shared.Threads, shared.ExitNorm, maxLength,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            bool npy = parsed.GetValue(format) == "npy", json = parsed.GetValue(shared.Json);
            if (npy && json)
            {
                throw new InputException("--json and --format npy were both given. Expected: one of them.");
            }

            FileInfo? target = parsed.GetValue(shared.Out);
            using TextLines lines = InputFile.Open(parsed.GetValue(file), terminal);
            using MmBertModel model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            MmBertEmbeddingGenerator generator = Models.Embedder(model, shared.EmbeddingOptions(parsed) with { MaxTokens = parsed.GetValue(maxLength) });
            using OutputFile output = OutputFile.Open(target, terminal, cancellationToken);
            using VectorOutput vectors = npy ? new NpyOutput(output.Stream, parsed.GetValue(shared.Dims) ?? model.Manifest.HiddenSize)
                : json || target is not null || parsed.GetValue(format) is not null ? new JsonVectorOutput(output.Stream)
                : new VectorTable(terminal.People);
            await EmbedAsync(lines, generator, vectors, terminal, output, cancellationToken);
            return 0;
        });
        return command;
    }

    private static async Task EmbedAsync(TextLines lines, MmBertEmbeddingGenerator generator, VectorOutput vectors, Terminal terminal, OutputFile output, CancellationToken cancellationToken)
    {
        using ProgressLine progress = new(terminal, "texts");
        List<InputLine> inputs = [];
        List<string> texts = [];
        long done = 0;
        int characters = 0;
        InputException? broken = null;
        using IEnumerator<InputLine> all = JsonLines.Read(lines, Expected).GetEnumerator();
        for (bool more = true; more;)
        {
            try
            {
                more = all.MoveNext();
                if (more)
                {
                    texts.Add(all.Current.Text ?? all.Current.Required("text", Expected));
                    inputs.Add(all.Current);
                    characters += texts[^1].Length;
                }
            }
            catch (InputException error)
            {
                (broken, more) = (error, false); // what stands before the broken line is finished first
            }

            if (texts.Count > 0 && (!more || texts.Count >= WindowTexts || characters >= WindowCharacters))
            {
                GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(texts, null, cancellationToken);
                for (int i = 0; i < texts.Count; i++)
                {
                    vectors.Write(inputs[i], texts[i], found[i]);
                }

                done += texts.Count;
                progress.Report(done, lines.Part);
                inputs.Clear();
                texts.Clear();
                characters = 0;
            }
        }

        vectors.Complete();
        output.Complete();
        if (broken is not null)
        {
            throw broken;
        }
    }
}
