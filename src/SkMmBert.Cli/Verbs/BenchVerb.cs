using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>bench</c>: how fast a model is on this machine, beside the plain export of the same weights.</summary>
internal static class BenchVerb
{
    // Of the minute that --quick promises; the rest is for the last round, which may take longer than the one before it.
    private static readonly TimeSpan QuickTime = TimeSpan.FromSeconds(50);

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        Option<string> model = new("--model") { Description = "A model folder or a known name; mini means both models of the pair.", DefaultValueFactory = _ => "mini" };
        Option<bool> quick = new("--quick") { Description = "Fewer cases, and of those only what is done within a minute; says what it left out." };
        Option<string?> lengths = new("--lengths") { Description = "Tokens of single texts: numbers with commas (default: 16 to 8,192; quick: 16 to 512)." };
        Option<string?> exits = new("--exit", "--exits") { Description = "Layers to leave at: numbers with commas, or all (default: all)." };
        Option<string> precision = new("--precision") { Description = "Arithmetic: fp32, int8 or both.", HelpName = "fp32,int8", DefaultValueFactory = _ => "fp32,int8" };
        Option<int?> texts = new("--texts") { Description = "Short texts of 8 to 60 tokens (default: 320; quick: 64)." };
        Option<int?> threads = new("--threads") { Description = "Processor threads of one run (default: 1)." };
        Option<FileInfo?> save = new("--out") { Description = "Save the cases as JSON lines here." };
        Option<FileInfo?> svg = new("--svg") { Description = "Draw the tables into this file." };
        Command command = new("bench", "Measures how fast a model is on this machine, beside the plain ONNX export of the same weights.")
        {
            model, quick, lengths, exits, precision, texts, threads, shared.Json, save, svg,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            long started = Stopwatch.GetTimestamp();
            ModelPrecision[] precisions = Precisions(parsed.GetValue(precision)!);
            int[] wanted = parsed.GetValue(lengths) is null ? [] : [.. EvalOptions.Numbers(parsed, lengths, [], 0).Distinct().Order()];
            int? count = SharedOptions.AtLeastOne(parsed, texts);
            string name = parsed.GetValue(model)!;
            string[] folders = name == "mini" ? [ModelNames.Find(name, "embedder"), ModelNames.Find(name, "reranker")] : [ModelNames.Find(name, "embedder")];
            using OutputFile? file = parsed.GetValue(save) is { } target ? OutputFile.Open(target, terminal, cancellationToken) : null;
            using OutputFile? picture = parsed.GetValue(svg) is { } drawing ? OutputFile.Open(drawing, terminal, cancellationToken) : null;
            using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
            JsonOutput[] data = [.. parsed.GetValue(shared.Json) ? [new JsonOutput(output.Stream)] : Array.Empty<JsonOutput>(), .. file is null ? Array.Empty<JsonOutput>() : [new JsonOutput(file.Stream)]];
            List<BenchRow> rows = [];
            List<string> leftOut = [];
            TimeSpan time = TimeSpan.Zero;
            foreach (string folder in folders)
            {
                time += QuickTime / folders.Length;
                using ProgressLine progress = new(terminal, "tokens");
                using BenchRun run = new(folder, new ModelOptions(), SharedOptions.AtLeastOne(parsed, threads) ?? 1, terminal, cancellationToken);
                foreach (BenchRow row in run.Run(Plan, progress))
                {
                    rows.Add(row);
                    Array.ForEach(data, json => json.Line(null, row.Write));
                }

                leftOut.AddRange(run.LeftOut);
            }

            output.Complete();
            file?.Complete();
            if (picture is not null)
            {
                SvgFile.Write(SpeedFigure.Of(rows), picture.Stream);
                picture.Complete();
            }

            if (!parsed.GetValue(shared.Json))
            {
                BenchTables.Show(rows, terminal.People);
            }

            if (leftOut.Count > 0)
            {
                terminal.People.WriteLine($"Not measured, for there was no time within a minute: {string.Join(", ", leftOut)}. Without --quick everything is measured.");
            }

            return 0;

            BenchPlan Plan(ModelManifest manifest)
            {
                BenchPlan plan = BenchPlan.For(manifest, manifest.IsPublishedOnnx ? [ModelPrecision.Fp32] : precisions, parsed.GetValue(quick) ? () => time - Stopwatch.GetElapsedTime(started) : null);
                IReadOnlyList<int> all = plan.Exits(plan.Lengths[0]), chosen = EvalOptions.Numbers(parsed, exits, manifest.Exits, manifest.Layers);
                if (chosen.FirstOrDefault(exit => exit > manifest.Layers) is var late and > 0)
                {
                    throw new InputException($"{exits.Name} is {late}. Expected: at most {manifest.Layers}, the layers of '{manifest.Id}'.");
                }

                if (wanted.LastOrDefault() is var longest && longest > manifest.ContextLength)
                {
                    throw new InputException($"{lengths.Name} is {longest}. Expected: at most {manifest.ContextLength}, the context of '{manifest.Id}'.");
                }

                return plan with
                {
                    Lengths = wanted.Length > 0 ? wanted : plan.Lengths,
                    Exits = parsed.GetValue(exits) is null ? plan.Exits : _ => chosen,
                    ShortTexts = count ?? plan.ShortTexts,
                };
            }
        }, cancellationToken));
        return command;
    }

    private static ModelPrecision[] Precisions(string text) => [.. text.Split(',').Distinct().Select(name => name switch
    {
        "fp32" => ModelPrecision.Fp32,
        "int8" => ModelPrecision.Int8,
        _ => throw new InputException($"--precision is '{text}'. Expected: fp32, int8, or fp32,int8."),
    })];
}
