using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>One case of a conformance file and how far our numbers are from it.</summary>
internal sealed record ConformanceCase(string Model, string Name, bool IdsEqual, double MaxDifference, double Tolerance)
{
    public bool Ok => IdsEqual && MaxDifference <= Tolerance;
}

/// <summary>Runs the cases of a model's <c>conformance.json</c>.</summary>
internal static class Conformance
{
    public static async Task<List<ConformanceCase>> RunAsync(string folder, ModelOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, "conformance.json");
        if (!File.Exists(path))
        {
            throw new InputException($"'{folder}' has no conformance.json. Expected: a model that was published with one, such as mini.");
        }

        using JsonDocument file = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancellationToken));
        using MmBertModel model = Models.Open(folder, options, terminal);
        using ProgressLine progress = new(terminal, "cases");
        double tolerance = file.RootElement.GetProperty("suggested_abs_tolerance").GetDouble();
        MmBertEmbeddingGenerator generator = new(model, new() { AllowUntrainedExits = true, AllowUntrainedDimensions = true });
        List<ConformanceCase> cases = [];
        foreach (JsonElement item in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            string text = JsonText.Read(item.GetProperty("text"));
            double largest = 0;
            foreach (JsonProperty exit in item.GetProperty("exits").EnumerateObject())
            {
                int layer = int.Parse(exit.Name, CultureInfo.InvariantCulture);
                foreach (JsonProperty vector in exit.Value.EnumerateObject().Where(field => field.Name.StartsWith("unit_", StringComparison.Ordinal)))
                {
                    int dimensions = int.Parse(vector.Name.Split('_')[1], CultureInfo.InvariantCulture);
                    ReadOnlyMemory<float> found = await generator.GenerateVectorAsync(text, new EmbeddingGenerationOptions { Dimensions = dimensions }.WithExit(layer), cancellationToken);
                    int at = 0;
                    foreach (JsonElement expected in vector.Value.EnumerateArray())
                    {
                        largest = Math.Max(largest, Math.Abs(expected.GetDouble() - found.Span[at++]));
                    }
                }
            }

            cases.Add(new(model.Manifest.Id, text, SameIds(item, model.Tokenizer.Encode(text)), largest, tolerance));
            progress.Report(cases.Count, null);
        }

        return cases;
    }

    private static bool SameIds(JsonElement item, EncodedText encoded) =>
        item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(encoded.Ids);
}
