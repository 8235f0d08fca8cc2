using System.Globalization;
using System.Text.Json;

namespace SkMmBert;

/// <summary>When a question has no fitting tool, and how long the list gets: fitted on labelled examples, or a default that the catalogue itself anchors.</summary>
/// <remarks>Immutable and thread-safe. Belongs to the embedding model and the kind of catalogue it was fitted with.</remarks>
/// <example><code>
/// ToolCalibration calibration = await ToolCalibration.FitAsync(router, examples, targetFalseToolRate: 0.05);
/// ToolRouter strict = new(embedder, tools, new() { Calibration = calibration });
/// // calibration.Threshold → 0.62
/// </code></example>
public sealed record ToolCalibration
{
    private const int Signals = ToolSignals.Length;

    /// <summary>The calibration that needs no labels: the likeness of small talk to the catalogue is its zero.</summary>
    public static ToolCalibration Default { get; } = new();

    /// <summary>The confidence below which no tool fits; 0 never abstains.</summary>
    /// <value>The default is 0.17: a tool left out costs more than one too many.</value>
    public float Threshold { get; init; } = 0.17f;

    /// <summary>The least chance, among all tools and from 0 to 1, that puts a tool into the list; 0 for the longest list.</summary>
    /// <value>The default is 0.015: five tools on average over the data sets it was chosen on, more often the right ones than the first seven.</value>
    public float MinimumChance { get; init; } = 0.015f;

    /// <summary>How the signals of a search add up to the confidence: likeness beyond small talk, standing above
    /// all tools, lead over the next, chance of the best tool, words met, name said, words known, and the constant.</summary>
    public IReadOnlyList<float> Weights { get; init; } = [7.05f, -0.17f, -0.45f, 3.59f, -0.86f, 0.47f, 0.56f, -2.52f];

    internal float Confidence(in ToolSignals signals)
    {
        Span<float> values = stackalloc float[Signals];
        signals.CopyTo(values);
        return Confidence(values);
    }

    internal float Confidence(ReadOnlySpan<float> values)
    {
        float sum = Weights[Signals];
        for (int i = 0; i < Signals; i++)
        {
            sum += Weights[i] * values[i];
        }

        return 1 / (1 + MathF.Exp(-sum));
    }

    /// <summary>Fits the confidence and the threshold to labelled examples.</summary>
    /// <remarks>Costs one search an example. At least some examples should need no tool; without them the threshold stays at its default.</remarks>
    /// <param name="router">The router whose catalogue and model the examples are for.</param>
    /// <param name="examples">Questions with the tools that fit; none where no tool does.</param>
    /// <param name="targetFalseToolRate">The share of questions without a fitting tool that may get one all the same.</param>
    /// <param name="cancellationToken">Stops between searches.</param>
    public static Task<ToolCalibration> FitAsync(ToolRouter router, IEnumerable<ToolExample> examples, double targetFalseToolRate = 0.05, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(examples);
        if (!(targetFalseToolRate is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(targetFalseToolRate), $"targetFalseToolRate is {targetFalseToolRate}. Expected: 0 to 1.");
        }

        return ToolCalibrationFit.RunAsync(router, examples, targetFalseToolRate, cancellationToken);
    }

    /// <summary>Writes the calibration as JSON.</summary>
    public string ToJson() => string.Create(CultureInfo.InvariantCulture, $"{{\"threshold\":{Threshold:R},\"minimum_chance\":{MinimumChance:R},\"weights\":[{string.Join(',', Weights.Select(weight => weight.ToString("R", CultureInfo.InvariantCulture)))}]}}");

    /// <summary>Reads a calibration that <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is no calibration.</exception>
    public static ToolCalibration FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            float[] weights = [.. root.GetProperty("weights").EnumerateArray().Select(weight => weight.GetSingle())];
            if (weights.Length == Signals + 1 && weights.All(float.IsFinite))
            {
                return new ToolCalibration { Threshold = root.GetProperty("threshold").GetSingle(), MinimumChance = root.GetProperty("minimum_chance").GetSingle(), Weights = weights };
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"The calibration cannot be read ({error.Message}). Expected: what ToolCalibration.ToJson writes.", error);
        }

        throw new FormatException($"The calibration does not have {Signals + 1} finite weights. Expected: what ToolCalibration.ToJson of this version writes.");
    }
}

/// <summary>A question with the tools that fit it.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Tools">Names of the fitting tools, with or without their plugin; empty when none fits.</param>
public sealed record ToolExample(string Query, IReadOnlyList<string> Tools);
