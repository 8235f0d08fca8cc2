using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Abstention on CLINC150: intents with ten example utterances as tools, fitted on the validation part, reported on the test part.</summary>
internal static class RoutingCalibration
{
    private const int Examples = 10;

    public static async Task<int> RunAsync(string[] arguments)
    {
        string folder = Path.Combine(arguments.FirstOrDefault() ?? ".", "intents_eval");
        (string Text, string Label)[] validation = RoutingSet.Labelled(Path.Combine(folder, "clinc150.val.jsonl")), test = RoutingSet.Labelled(Path.Combine(folder, "clinc150.test.jsonl"));
        var intents = validation.Where(row => row.Label != "oos").GroupBy(row => row.Label, row => row.Text).ToList();
        ToolProfile[] tools = [.. intents.Select(intent => new ToolProfile(intent.Key) { Examples = [.. intent.Take(Examples)] })];
        ToolExample[] examples =
        [
            .. intents.SelectMany(intent => intent.Skip(Examples).Select(text => new ToolExample(text, [intent.Key]))),
            .. validation.Where(row => row.Label == "oos").Select(row => new ToolExample(row.Text, [])),
        ];
        using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed);
        using MemoEmbedder embedder = new(new MmBertEmbeddingGenerator(model));
        await embedder.VectorsAsync(examples.Select(example => example.Query).Concat(test.Select(row => row.Text)), CancellationToken.None);
        ToolRouter router = new(embedder, tools);
        Console.WriteLine("| calibration | threshold | false-tool rate | right tool in the list | mean length | first is right |\n|---|---|---|---|---|---|");
        foreach (double target in (double[])[0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3])
        {
            await PrintAsync($"fitted for {target:p1}", await ToolCalibration.FitAsync(router, examples, target));
        }

        await PrintAsync("without labels", ToolCalibration.Default);
        return 0;

        async Task PrintAsync(string name, ToolCalibration calibration)
        {
            ToolRouter calibrated = new(embedder, tools, new() { Calibration = calibration });
            int falseTools = 0, outside = 0, inside = 0, found = 0, first = 0, lists = 0, length = 0;
            foreach ((string text, string label) in test)
            {
                RoutingDecision decision = await calibrated.RouteAsync(text);
                if (label == "oos")
                {
                    outside++;
                    falseTools += decision.Abstained ? 0 : 1;
                    continue;
                }

                inside++;
                lists += decision.Abstained ? 0 : 1;
                length += decision.Tools.Count;
                found += decision.Tools.Any(tool => tool.Name == label) ? 1 : 0;
                first += decision.Candidates[0].Name == label ? 1 : 0;
            }

            Console.WriteLine($"| {name} | {calibration.Threshold:f3} | {(double)falseTools / outside:p1} | {(double)found / inside:p1} | {(double)length / Math.Max(1, lists):f1} | {(double)first / inside:p1} |");
        }
    }
}
