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
    /// <summary>The calibration that needs no labels: the likeness of small talk to the catalogue is its zero.</summary>
    public static ToolCalibration Default { get; } = new();

    /// <summary>The confidence below which no tool fits; 0 never abstains.</summary>
    /// <value>The default is 0.17: a tool left out costs more than one too many.</value>
    public float Threshold { get; init; } = 0.17f;

    /// <summary>The least chance, among all tools and from 0 to 1, that puts a tool into the list; 0 for the longest list.</summary>
    /// <value>The default is 0.01: five tools on average over the data sets it was chosen on, more often the right ones than the first seven.</value>
    public float MinimumChance { get; init; } = 0.01f;

    /// <summary>How the signals of a search add up to the confidence: likeness beyond small talk, standing above
    /// all tools, lead over the next, chance of the best tool, words met, name said, words known, and the constant.</summary>
    public IReadOnlyList<float> Weights { get; init; } = [7.05f, -0.17f, -0.45f, 3.59f, -0.86f, 0.47f, 0.56f, -2.52f];

    /// <summary>Qualified names of the tools that the labelled examples named, of which <see cref="FitAsync"/> has learned more than their texts say.</summary>
    /// <value>Empty for the default. A question whose best tool is not among them is judged by <see cref="Weights"/> alone.</value>
    public IReadOnlyList<string> LearnedTools => Learned?.Names ?? [];

    internal LearnedTools? Learned { get; init; }

    internal float Confidence(in ToolSignals signals)
    {
        Span<float> values = stackalloc float[ToolSignals.Length + 1];
        signals.CopyTo(values);
        return Learned is null || float.IsNaN(signals.Learned) ? Confidence(values[..ToolSignals.Length], Weights) : Confidence(values, Learned.Weights);
    }

    internal static float Confidence(ReadOnlySpan<float> values, IReadOnlyList<float> weights)
    {
        float sum = weights[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            sum += weights[i] * values[i];
        }

        return 1 / (1 + MathF.Exp(-sum));
    }

    /// <summary>Fits the confidence and the threshold to labelled examples.</summary>
    /// <remarks>
    /// Costs one search an example, and learning: a few seconds of processor time for 1,600 examples of 150 tools, growing with examples × tools named.
    /// At least some examples should need no tool; without them the calibration stays the router's own. From two named tools on, a score of its own
    /// is learned for each; the result then belongs to the router's embedding model.
    /// </remarks>
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

    /// <summary>Writes the calibration as JSON: a few numbers, and about 1.4 kilobytes for each learned tool at 256 dimensions.</summary>
    public string ToJson() => ToolCalibrationJson.Write(this);

    /// <summary>Reads a calibration that <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is no calibration.</exception>
    public static ToolCalibration FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ToolCalibrationJson.Read(json);
    }
}

/// <summary>A question with the tools that fit it.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Tools">Names of the fitting tools, with or without their plugin; empty when none fits.</param>
public sealed record ToolExample(string Query, IReadOnlyList<string> Tools);
