using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Abstention: labels with ten example utterances as tools, fitted on a validation part, reported on the test part.</summary>
internal static class IntentEvaluation
{
    private const int Examples = 10;
    private const string Outside = "oos";

    /// <summary>Names with the validation and the test file, where both have utterances that fit no label.</summary>
    public static IEnumerable<(string Name, string Validation, string Test)> Find(string folder) =>
        Directory.EnumerateFiles(folder, "*.val.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => (Name: Path.GetFileName(file)[..^".val.jsonl".Length], Validation: file, Test: file[..^"val.jsonl".Length] + "test.jsonl"))
            .Where(pair => File.Exists(pair.Test) && RoutingSet.Labelled(pair.Validation).Any(row => row.Label == Outside) && RoutingSet.Labelled(pair.Test).Any(row => row.Label == Outside));

    /// <summary>The curve: for each rate of false tools aimed at, and for the calibration without labels, what happens on the test part.</summary>
    public static async IAsyncEnumerable<EvalRow> RunAsync(string name, string validationFile, string testFile, IEmbeddingGenerator<string, Embedding<float>> generator, int most, int? exit, int? dims)
    {
        (string Text, string Label)[] validation = RoutingSet.Labelled(validationFile);
        IReadOnlyList<(string Text, string Label)> test = EvalOptions.Take(RoutingSet.Labelled(testFile), most);
        var intents = validation.Where(row => row.Label != Outside).GroupBy(row => row.Label, row => row.Text).ToList();
        ToolProfile[] tools = [.. intents.Select(intent => new ToolProfile(intent.Key) { Examples = [.. intent.Take(Examples)] })];
        ToolExample[] examples =
        [
            .. intents.SelectMany(intent => intent.Skip(Examples).Select(text => new ToolExample(text, [intent.Key]))),
            .. validation.Where(row => row.Label == Outside).Select(row => new ToolExample(row.Text, [])),
        ];
        using MemoEmbedder memo = new(generator);
        foreach (string[] texts in examples.Select(example => example.Query).Concat(test.Select(row => row.Text)).Chunk(512))
        {
            await memo.VectorsAsync(texts, CancellationToken.None);
        }

        ToolRouter router = new(memo, tools);
        foreach (double target in (double[])[0.01, 0.02, 0.05, 0.1, 0.2])
        {
            yield return await MeasureAsync($"{name} fitted for {target * 100:0} %", await ToolCalibration.FitAsync(router, examples, target));
        }

        yield return await MeasureAsync($"{name} without labels", ToolCalibration.Default);

        async Task<EvalRow> MeasureAsync(string way, ToolCalibration calibration)
        {
            ToolRouter calibrated = new(memo, tools, new() { Calibration = calibration });
            int falseTools = 0, outside = 0, inside = 0, found = 0, lists = 0, length = 0;
            foreach ((string text, string label) in test)
            {
                RoutingDecision decision = await calibrated.RouteAsync(text);
                outside += label == Outside ? 1 : 0;
                inside += label == Outside ? 0 : 1;
                falseTools += label == Outside && !decision.Abstained ? 1 : 0;
                found += decision.Tools.Any(tool => tool.Name == label) ? 1 : 0;
                lists += label != Outside && !decision.Abstained ? 1 : 0;
                length += label != Outside ? decision.Tools.Count : 0;
            }

            return new EvalRow("abstention", way, exit, dims, ("threshold", calibration.Threshold), ("false_tool_rate", (double)falseTools / Math.Max(1, outside)),
                ("right_tool_listed", (double)found / Math.Max(1, inside)), ("answered", (double)lists / Math.Max(1, inside)), ("mean_length", (double)length / Math.Max(1, lists)), ("count", test.Count));
        }
    }
}
