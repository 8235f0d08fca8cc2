using System.Security.Cryptography;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Scores texts with the cross-encoder of a reranker folder: query and text go through the model together.</summary>
/// <remarks>
/// <para>Far more exact and far slower than comparing vectors: use it on the last candidates of a search. Work is split over the processors unless
/// <see cref="ModelOptions.Threads"/> is set. The query is encoded once.</para>
/// <para>Thread-safe. Does not dispose the model; dispose the reranker before it, which waits for work that a deadline broke off.</para>
/// </remarks>
/// <example><code>
/// using MmBertModel model = MmBertModel.Open("models/mini-rerank");
/// using var reranker = new MmBertReranker(model);
/// float[] scores = await reranker.ScoreAsync("What is the weather in Paris?", ["get_weather: Get the current weather for a city", "send_email: Send an email message"]);
/// // scores → [0.9994, 0.68]
/// </code></example>
public sealed class MmBertReranker : Reranker
{
    private static readonly TimeSpan MostReserved = TimeSpan.FromMilliseconds(5);

    private readonly MmBertModel _model;
    private readonly ScoreHeads _heads;
    private readonly RerankNorm _norm;
    private readonly Lock _lock = new();
    private readonly RerankPace _pace = new();
    private Task _leftover = Task.CompletedTask;

    /// <summary>Reads the score heads of a model.</summary>
    /// <param name="model">A model whose folder has score heads.</param>
    /// <param name="options">What is used where a call gives no options; <see langword="null"/> for the defaults.</param>
    /// <exception cref="InvalidDataException">The heads are broken or belong to another model.</exception>
    /// <exception cref="ArgumentException">The model has no score heads.</exception>
    public MmBertReranker(MmBertModel model, RerankOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Manifest.HasScoreHeads)
        {
            throw new ArgumentException($"'{model.Manifest.Folder}' has no matryoshka_config.json with score heads, so '{model.Manifest.Id}' can make vectors but not score pairs. Open a reranker, such as mini-rerank.", nameof(model));
        }

        _model = model;
        _heads = ScoreHeads.Read(model.Manifest.Folder, model.Config);
        _norm = RerankNorm.Of(model.Config, model.Options.ExitNorm);
        Options = options ?? new RerankOptions();
        Check(Options);
    }

    /// <inheritdoc/>
    public override RerankOptions Options { get; }

    /// <summary>Exits that have score heads, ascending.</summary>
    public IReadOnlyList<int> Exits => _heads.Exits;

    /// <summary>Dimensions that have score heads at each exit, descending.</summary>
    public IReadOnlyList<int> Dimensions => _heads.Dimensions;

    /// <summary>Where texts can be let go; published graphs begin anew at every exit, so there only the exits are worth it.</summary>
    internal IReadOnlyList<int> Stops => field ??= _model.Manifest.IsPublishedOnnx ? Exits : RerankStops.Of(Exits, Exits[^1]);

    /// <summary>What a calibration is valid for: weights, heads and exit convention, whatever the precision.</summary>
    internal string CalibrationKey => field ??= $"{_model.Manifest.Fingerprint.Split('-')[0]}-{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_heads.Path)))[..16]}-{(_norm.Early ? 1 : 0)}{(_norm.Last ? 1 : 0)}";

    internal MmBertModel Model => _model;

    /// <summary>Scores each text against the query.</summary>
    /// <remarks>Every text gets its score: of the efforts in <see cref="Options"/> only <see cref="RerankEffort.Exit"/> is kept.</remarks>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates.</param>
    /// <param name="cancellationToken">Stops the work, inside a run as well.</param>
    /// <returns>One score per text, from 0 to 1 unless <see cref="RerankOptions.RawScores"/> is set. Meant for ranking, not as a probability.</returns>
    public override async Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
    {
        RerankOptions options = Options.Effort is RerankEffort.ExitEffort ? Options : Options with { Effort = RerankEffort.Full };
        RerankScore[] scores = await ScoreAsync(query, texts, options, cancellationToken).ConfigureAwait(false);
        return [.. scores.Select(score => score.Score)];
    }

    /// <inheritdoc/>
    public override Task<RerankScore[]> ScoreAsync(string query, IReadOnlyList<string> texts, RerankOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        return texts.Count == 0 ? Task.FromResult<RerankScore[]>([])
            : options.Effort is RerankEffort.DeadlineEffort deadline ? ScoreUntilAsync(deadline.Budget, query, texts, options, cancellationToken)
            : Task.Run(() => Score(query, texts, options, out _, cancellationToken), cancellationToken);
    }

    /// <summary>Scores and says how many layer-tokens it took.</summary>
    internal RerankScore[] Score(string query, IReadOnlyList<string> texts, RerankOptions options, out long layerTokens, CancellationToken cancellationToken)
    {
        RerankPairs pairs = Pairs(query, texts, options);
        RerankUnit[] units = pairs.EncodeAll(cancellationToken);
        using RerankRun run = Run(texts.Count, options);
        switch (options.Effort)
        {
            case RerankEffort.ProgressiveEffort:
                run.ScoreProgressively(units, Steps(options), Exits[^1], options.Top ?? 0, cancellationToken);
                break;
            case RerankEffort.ExitEffort exit:
                run.ScoreAll(units, exit.Layer, cancellationToken);
                break;
            default:
                run.ScoreAll(units, Exits[^1], cancellationToken);
                break;
        }

        layerTokens = run.LayerTokens;
        return Results(run, pairs, options);
    }

    /// <summary>Logits and states of every stop at one dimension, and the tokens of each text.</summary>
    internal RerankSurvey Survey(string query, IReadOnlyList<string> texts, RerankOptions options, CancellationToken cancellationToken) =>
        RerankSurvey.Of(_model, _heads, _norm, Pairs(query, texts, options).EncodeAll(cancellationToken), options.Dimension ?? Dimensions[0], Stops, cancellationToken);

    /// <summary>The logits that a head gives to the states of a survey, [texts][features]; empty where an exit has no head.</summary>
    internal float[] ScoreStates(int exit, int dimension, float[][] states)
    {
        float[] logits = new float[Exits.Contains(exit) ? states.Length : 0];
        for (int text = 0; text < logits.Length; text++)
        {
            _heads.Score(exit, dimension, states[text], states[text].Length, logits.AsSpan(text, 1));
        }

        return logits;
    }

    /// <summary>Logits of every head for each text, keyed <c>exit.dimension</c>; every layer is run once.</summary>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates.</param>
    /// <param name="maxTokens">Most tokens of query and text together; <see langword="null"/> for <see cref="RerankOptions.MaxTokens"/> of <see cref="Options"/>.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public Task<IReadOnlyDictionary<string, float[]>> ScoreEveryHeadAsync(string query, IReadOnlyList<string> texts, int? maxTokens = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(texts);
        RerankOptions options = Options with { MaxTokens = maxTokens ?? Options.MaxTokens };
        Check(options);
        return Task.Run(() => RerankHeads.Score(_model, _heads, _norm, Pairs(query, texts, options).EncodeAll(cancellationToken), texts.Count, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // Its outcome was nobody's any more when the deadline passed.
            ((IAsyncResult)_leftover).AsyncWaitHandle.WaitOne();
        }
    }

    private static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));

    private async Task<RerankScore[]> ScoreUntilAsync(TimeSpan budget, string query, IReadOnlyList<string> texts, RerankOptions options, CancellationToken cancellationToken)
    {
        long started = options.Clock.GetTimestamp();
        cancellationToken.ThrowIfCancellationRequested();
        if (budget == TimeSpan.Zero)
        {
            return new RerankScore[texts.Count];
        }

        // A tenth of the time, at most some milliseconds, is for the way back: threads are woken late where every processor computes.
        TimeSpan working = budget - (budget / 10 < MostReserved ? budget / 10 : MostReserved);
        TimeSpan left() => working - options.Clock.GetElapsedTime(started);
        RerankPairs pairs = Pairs(query, texts, options);
        int early = options.Calibration?.EarlyExit ?? Exits[^1];
        if (_pace.Expected(0, early, pairs.LeastTokens) > left())
        {
            // Not even the two shortest texts would be scored in time, and one alone changes no order: no thread is started for it.
            _pace.Doubt();
            return new RerankScore[texts.Count];
        }

        using CancellationTokenSource timer = new(working, options.Clock);
        CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        RerankRun? run = null;
        Task work = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    using RerankRun own = Run(texts.Count, options);
                    Volatile.Write(ref run, own);
                    RerankDeadline deadline = new(own, pairs, early, Exits[^1], options.Calibration?.DeadlineShare ?? RerankCalibration.DefaultDeadlineShare) { Left = left };
                    deadline.Work(RerankStreams.Of(_model), stop.Token);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                }
                finally
                {
                    stop.Dispose();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        lock (_lock)
        {
            // Whoever disposes the reranker and then the model waits for this, however the call ends.
            _leftover = _leftover.IsCompleted ? work : Task.WhenAll(_leftover, work);
        }

        TimeSpan wait = left();
        await Task.WhenAny(work, Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, options.Clock, cancellationToken)).ConfigureAwait(false);

        // A step of the runtime that cannot be broken off (opening a session) goes on in the background.
        timer.Cancel();
        cancellationToken.ThrowIfCancellationRequested();
        if (work.IsCompleted)
        {
            await work.ConfigureAwait(false);
        }

        return Volatile.Read(ref run) is RerankRun done ? Results(done, pairs, options) : new RerankScore[texts.Count];
    }

    private RerankPairs Pairs(string query, IReadOnlyList<string> texts, RerankOptions options) =>
        new(_model.Tokenizer, query, texts, options.MaxTokens ?? _model.Config.PairLength ?? _model.Manifest.ContextLength, options.LongTexts);

    private RerankRun Run(int texts, RerankOptions options) => new(_model, _heads, _norm, texts, options.Dimension ?? Dimensions[0])
    {
        Probes = options.Effort is RerankEffort.ProgressiveEffort or RerankEffort.DeadlineEffort && options.Calibration is RerankCalibration learned
            ? learned.Probes : System.Collections.ObjectModel.ReadOnlyDictionary<int, RerankProbe>.Empty,
        Pace = _pace,
        Clock = options.Clock,
    };

    private RerankScore[] Results(RerankRun run, RerankPairs pairs, RerankOptions options)
    {
        (float[] logits, int[] exits) = run.Snapshot();
        RerankScore[] scores = new RerankScore[logits.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = exits[i] == 0 ? default : new RerankScore(options.RawScores ? logits[i] : Sigmoid(logits[i]), exits[i]) { Order = logits[i], CutAt = pairs.CutAt[i] };
        }

        return scores;
    }

    // Without a calibration: from the first exit a quarter of the way up. Below, the two texts have hardly met.
    private IReadOnlyList<RerankStep> Steps(RerankOptions options) => options.Calibration?.Steps
        ?? [.. Exits.Where(exit => 4 * exit >= _model.Manifest.Layers && exit < Exits[^1]).Select(exit => new RerankStep(exit, 5, null, 0.5f))];

    private void Check(RerankOptions options)
    {
        options.Validate();
        if (options.Dimension is int dimension && !Dimensions.Contains(dimension))
        {
            throw new ArgumentOutOfRangeException(nameof(options), dimension, $"'{_model.Manifest.Id}' has no score heads of dimension {dimension}. Choose one of {string.Join(", ", Dimensions)}.");
        }

        if (options.Effort is RerankEffort.ExitEffort exit && !Exits.Contains(exit.Layer))
        {
            throw new ArgumentOutOfRangeException(nameof(options), exit.Layer, $"'{_model.Manifest.Id}' has no score heads at exit {exit.Layer}. Choose one of {string.Join(", ", Exits)}.");
        }

        int least = _model.Tokenizer.PairSpecialTokens + 1;
        if (options.MaxTokens is int most && (most < least || most > _model.Manifest.ContextLength))
        {
            throw new ArgumentOutOfRangeException(nameof(options), most, $"'{_model.Manifest.Id}' reads {least} to {_model.Manifest.ContextLength} tokens of a pair. Set MaxTokens within that.");
        }

        options.Calibration?.CheckModel(this, options.Dimension ?? Dimensions[0]);
    }
}
