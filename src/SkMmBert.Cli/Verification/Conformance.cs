using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>One case of a conformance file and how far our numbers are from it.</summary>
internal sealed record ConformanceCase(string Model, string Name, bool IdsEqual, double MaxDifference, double Tolerance)
{
    public bool Ok => IdsEqual && MaxDifference <= Tolerance;
}

/// <summary>Runs the cases of a model's <c>conformance.json</c>: vectors of an embedder, or logits of a reranker.</summary>
internal static class Conformance
{
    /// <summary>The file of a model folder; null if it was published without one.</summary>
    public static string? FileOf(string folder) => Path.Combine(folder, "conformance.json") is var path && File.Exists(path) ? path : null;

    public static async Task<List<ConformanceCase>> RunAsync(MmBertModel model, string path, Terminal terminal, CancellationToken cancellationToken)
    {
        using JsonDocument file = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancellationToken));
        using ProgressLine progress = new(terminal, "cases");
        JsonElement all = file.RootElement.GetProperty("cases");
        double tolerance = file.RootElement.GetProperty("suggested_abs_tolerance").GetDouble();
        Func<JsonElement, Task<double>> difference = model.Manifest.HasScoreHeads ? Logits(new(model), cancellationToken) : Vectors(new(model), cancellationToken);
        List<ConformanceCase> cases = [];
        foreach (JsonElement item in all.EnumerateArray())
        {
            bool pair = item.TryGetProperty("query", out JsonElement query);
            string first = JsonText.Read(pair ? query : item.GetProperty("text"));
            EncodedText encoded = pair ? model.Tokenizer.EncodePair(first, JsonText.Read(item.GetProperty("document"))) : model.Tokenizer.Encode(first);
            bool same = item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(encoded.Ids);
            cases.Add(new(model.Manifest.Id, first, same, await difference(item), tolerance));
            progress.Report(cases.Count, (double)cases.Count / all.GetArrayLength());
        }

        return cases;
    }

    // exits: { "3": { "unit_64": […], "unit_256_first8": […] } }
    private static Func<JsonElement, Task<double>> Vectors(MmBertEmbeddingGenerator generator, CancellationToken cancellationToken) => async item =>
    {
        double largest = 0;
        foreach (JsonProperty exit in item.GetProperty("exits").EnumerateObject())
        {
            foreach (JsonProperty vector in exit.Value.EnumerateObject().Where(field => field.Name.StartsWith("unit_", StringComparison.Ordinal)))
            {
                EmbeddingGenerationOptions options = new EmbeddingGenerationOptions { Dimensions = Number(vector.Name.Split('_')[1]) }.WithExit(Number(exit.Name));
                ReadOnlyMemory<float> found = await generator.GenerateVectorAsync(JsonText.Read(item.GetProperty("text")), options, cancellationToken);
                largest = vector.Value.EnumerateArray().Select((expected, i) => Math.Abs(expected.GetDouble() - found.Span[i])).Append(largest).Max();
            }
        }

        return largest;
    };

    // logits: { "3.64": 6.0, … }
    private static Func<JsonElement, Task<double>> Logits(MmBertReranker reranker, CancellationToken cancellationToken) => async item =>
    {
        IReadOnlyDictionary<string, float[]> heads = await reranker.ScoreEveryHeadAsync(JsonText.Read(item.GetProperty("query")), [JsonText.Read(item.GetProperty("document"))], null, cancellationToken);
        return item.GetProperty("logits").EnumerateObject().Max(logit => Math.Abs(logit.Value.GetDouble() - heads[logit.Name][0]));
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
