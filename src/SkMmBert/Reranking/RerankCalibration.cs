using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace SkMmBert;

/// <summary>What was learned about a reranker on some queries: who carries on in <see cref="RerankEffort.Progressive"/>, and how much say its scores should have.</summary>
/// <remarks>
/// <para>Make one with <see cref="FitAsync"/> on your own queries; unlabelled ones suffice for the progressive part. Belongs to one model (weights, heads, exit
/// convention): used with another it is refused.</para>
/// <para>Immutable and thread-safe.</para>
/// </remarks>
/// <example><code>
/// RerankCalibration learned = await RerankCalibration.FitAsync(reranker, samples, loss: 0.02);
/// learned.Save("rerank.json");
/// var options = new RerankOptions { Effort = RerankEffort.Progressive, Calibration = RerankCalibration.Load("rerank.json"), Top = 5 };
/// </code></example>
public sealed record RerankCalibration
{
    internal const float DefaultDeadlineShare = 0.4f;

    private const string FormatName = "skmmbert-rerank-calibration-3";

    internal RerankCalibration(string model, string key)
    {
        (Model, Key) = (model, key);
    }

    /// <summary>The model it was made with.</summary>
    public string Model { get; }

    /// <summary>The leading entries of the pooled state that the head read.</summary>
    public int Dimension { get; internal init; }

    /// <summary>Queries it was made from.</summary>
    public int Queries { get; internal init; }

    /// <summary>Size of the top whose members must not get lost.</summary>
    public int Top { get; internal init; }

    /// <summary>Share of queries that may lose a member of the top. With fewer than 1 / loss - 1 queries that cannot be promised, and <see cref="RerankEffort.Progressive"/> scores as <see cref="RerankEffort.Full"/> does.</summary>
    public double Loss { get; internal init; }

    /// <summary>Share of the queries whose top was the same as with <see cref="RerankEffort.Full"/>, each judged by what was learned from the others.</summary>
    public double SameTop { get; internal init; }

    /// <summary>Layer-tokens spent for that, as a share of what <see cref="RerankEffort.Full"/> spends.</summary>
    public double Cost { get; internal init; }

    /// <summary>Weight of the rerank scores that did best: 0 where reranking did not help and is off; <see langword="null"/> where no query was labelled.</summary>
    public float? Blend { get; internal init; }

    /// <summary>nDCG@10 of the first stage alone, of the rerank scores alone and of the blend; <see langword="null"/> where no query was labelled.</summary>
    public (double First, double Rerank, double Blend)? Ndcg { get; internal init; }

    /// <summary>What it is recommended for, in one line.</summary>
    public string Recommendation => Ndcg is not (double first, double rerank, double blend) ? "Not known: no labelled queries."
        : Blend == 0 ? Invariant($"Off on this kind of data: the first stage alone has nDCG@10 {first:0.000}, reranking {rerank:0.000}.")
        : Invariant($"On, with weight {Blend:0.00}: nDCG@10 {blend:0.000} against {first:0.000} of the first stage.");

    internal string Key { get; }

    internal IReadOnlyList<RerankStep> Steps { get; init; } = [];

    internal IReadOnlyDictionary<int, RerankProbe> Probes { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<int, RerankProbe>.Empty;

    internal int EarlyExit { get; init; }

    internal float DeadlineShare { get; init; } = DefaultDeadlineShare;

    /// <summary>Scores all candidates at every exit and learns from that.</summary>
    /// <remarks>Costs one full scoring of all candidates, and memory for what probes read of each text at each stop (100 texts of mmBERT: 4.3 MB a query).</remarks>
    /// <param name="reranker">The model.</param>
    /// <param name="samples">Queries with the candidates their first stage found, labelled or not.</param>
    /// <param name="loss">Share of queries whose best texts may differ from those of <see cref="RerankEffort.Full"/>.</param>
    /// <param name="top">How many best texts that is about.</param>
    /// <param name="progress">Told the number of queries done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public static async Task<RerankCalibration> FitAsync(
        MmBertReranker reranker, IReadOnlyList<RerankSample> samples, double loss = 0.02, int top = 5, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reranker);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        if (samples.Count == 0 || loss is not (>= 0 and < 1))
        {
            throw new ArgumentException("A calibration needs at least one query, and a loss of 0 up to 1.", nameof(samples));
        }

        List<RerankTable> tables = await RerankEvaluation.TablesAsync(reranker, samples, reranker.Options, progress, cancellationToken).ConfigureAwait(false);
        return RerankCalibrationFit.Fit(Empty(reranker), tables, loss, top);
    }

    /// <summary>A calibration of a reranker that has learned nothing yet.</summary>
    internal static RerankCalibration Empty(MmBertReranker reranker) => new(reranker.Model.Manifest.Id, reranker.CalibrationKey) { Dimension = reranker.Options.Dimension ?? reranker.Dimensions[0] };

    /// <summary>Reads a calibration that was saved.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is broken or of another version.</exception>
    public static RerankCalibration Load(string path)
    {
        EncoderConfigFields file = EncoderConfigFields.ReadFile(path);
        file.String("format", FormatName);
        EncoderConfigFields steps = file.Object("steps"), probes = file.Object("probes");
        return new RerankCalibration(file.String("model"), file.String("key"))
        {
            Dimension = file.Int("dimension", 1, 1 << 16),
            Queries = file.Int("queries", 0, int.MaxValue),
            Top = file.Int("top", 1, int.MaxValue),
            Loss = file.Number("loss", -1, 1),
            SameTop = file.Number("sameTop", -1, 1),
            Cost = file.Number("cost", 0, 1e3),
            Blend = (float?)file.NumberOrNull("blend", -1, 1) is float blend ? Math.Max(0, blend) : null,
            Ndcg = file.Has("ndcg") && file.Object("ndcg") is EncoderConfigFields ndcg ? (ndcg.Number("first", -1, 1), ndcg.Number("rerank", -1, 1), ndcg.Number("blend", -1, 1)) : null,
            EarlyExit = file.Int("earlyExit", 1, 1 << 16),
            DeadlineShare = (float)file.Number("deadlineShare", -1, 1),
            Steps = [.. steps.Names.Select(name => (Exit: int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture), Step: steps.Object(name)))
                .Select(pair => new RerankStep(pair.Exit, pair.Step.Int("atLeast", 1, 1 << 20), (float)pair.Step.Number("margin", -1, 1e6), 1))],
            Probes = probes.Names.Select(name => (Exit: int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture), Probe: probes.Object(name)))
                .ToDictionary(pair => pair.Exit, pair => new RerankProbe(pair.Probe.Numbers("state"), (float)pair.Probe.Number("logit", -1e9, 1e9), (float)pair.Probe.Number("place", -1e9, 1e9), (float)pair.Probe.Number("level", -1e9, 1e9))),
        };
    }

    /// <summary>Writes the calibration to a small JSON file.</summary>
    /// <param name="path">The file; replaced if there is one.</param>
    public void Save(string path)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("format", FormatName);
            json.WriteString("model", Model);
            json.WriteString("key", Key);
            json.WriteNumber("dimension", Dimension);
            json.WriteNumber("queries", Queries);
            json.WriteNumber("top", Top);
            json.WriteNumber("loss", Loss);
            json.WriteNumber("sameTop", SameTop);
            json.WriteNumber("cost", Cost);
            if (Blend is float blend)
            {
                json.WriteNumber("blend", blend);
            }

            if (Ndcg is (double first, double rerank, double blended))
            {
                json.WriteStartObject("ndcg");
                json.WriteNumber("first", first);
                json.WriteNumber("rerank", rerank);
                json.WriteNumber("blend", blended);
                json.WriteEndObject();
            }

            json.WriteNumber("earlyExit", EarlyExit);
            json.WriteNumber("deadlineShare", DeadlineShare);
            json.WriteStartObject("steps");
            foreach (RerankStep step in Steps)
            {
                json.WriteStartObject(step.Exit.ToString(CultureInfo.InvariantCulture));
                json.WriteNumber("atLeast", step.AtLeast);
                json.WriteNumber("margin", step.Margin ?? 0);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteStartObject("probes");
            foreach ((int exit, RerankProbe probe) in Probes)
            {
                json.WriteStartObject(exit.ToString(CultureInfo.InvariantCulture));
                json.WriteNumber("logit", probe.Logit);
                json.WriteNumber("place", probe.Place);
                json.WriteNumber("level", probe.Level);
                json.WritePropertyName("state");
                json.WriteRawValue($"[{string.Join(',', probe.State.Select(weight => weight.ToString("R", CultureInfo.InvariantCulture)))}]");
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        AtomicFile.Write(path, stream => stream.Write(bytes.WrittenSpan));
    }

    internal void CheckModel(MmBertReranker reranker, int dimension)
    {
        if (Key != reranker.CalibrationKey)
        {
            throw new ArgumentException($"The calibration was made with '{Model}' ({Key}), the reranker is '{reranker.Model.Manifest.Id}' ({reranker.CalibrationKey}). Calibrate this model, or leave the calibration out.");
        }

        if (Dimension != dimension)
        {
            throw new ArgumentException($"The calibration was made with the heads of dimension {Dimension}, the options ask for {dimension}. Set Dimension to {Dimension}, or calibrate with {dimension}.");
        }

        int width = RerankFeatures.Width(reranker.Model);
        bool ascending = Steps.Zip(Steps.Skip(1)).All(pair => pair.First.Exit < pair.Second.Exit);
        int[] scored = [.. reranker.Stops.Where(stop => Probes.ContainsKey(stop) || reranker.Exits.Contains(stop))];
        if (!ascending || Steps.Any(step => !scored[..^1].Contains(step.Exit)) || !scored.Contains(EarlyExit) || Probes.Values.Any(probe => probe.State.Length > 0 && probe.State.Length != width))
        {
            throw new ArgumentException($"The calibration's steps or probes do not fit '{Model}': layers {string.Join(", ", scored)}, {width} features. The file was changed by hand; calibrate again.");
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
