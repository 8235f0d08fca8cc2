using System.Collections.Concurrent;

namespace SkMmBert;

/// <summary>The work of one call: runs units through the layers, keeps hidden states that may go on, and collects the best score of each text.</summary>
internal sealed class RerankRun : IDisposable
{
    // Where held states grow beyond this, those of texts that can no longer carry on are let go early.
    private const long MaxHeldBytes = 256L << 20;

    private readonly MmBertModel _model;
    private readonly ScoreHeads _heads;
    private readonly RerankNorm _norm;
    private readonly int _dimension;
    private readonly int _streams;
    private readonly Lock _lock = new();
    private List<Held> _held = [];
    private long _layerTokens;

    public RerankRun(MmBertModel model, ScoreHeads heads, RerankNorm norm, int texts, int dimension)
    {
        (_model, _heads, _norm, _dimension) = (model, heads, norm, dimension);
        _streams = RerankStreams.Of(model);
        Logits = new float[texts];
        Exits = new int[texts];
        Logits.AsSpan().Fill(float.NegativeInfinity);
    }

    /// <summary>Logit of each text at the last stop it reached, that of its best slice: the head's, or the last exit's as the probe there guesses it, [texts].</summary>
    public float[] Logits { get; }

    /// <summary>What guesses the last exit's logit at an earlier stop; none to take the logits of the heads as they are.</summary>
    public IReadOnlyDictionary<int, RerankProbe> Probes { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<int, RerankProbe>.Empty;

    /// <summary>Where it is kept how long runs take.</summary>
    public RerankPace Pace { get; init; } = new();

    /// <summary>What tells how long a run took.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Stop each text reached, 0 for none, [texts].</summary>
    public int[] Exits { get; }

    /// <summary>Tokens times layers that were run.</summary>
    public long LayerTokens => Interlocked.Read(ref _layerTokens);

    /// <summary>Logits and exits as they are now, which belong together even while other threads work.</summary>
    public (float[] Logits, int[] Exits) Snapshot()
    {
        lock (_lock)
        {
            return ([.. Logits], [.. Exits]);
        }
    }

    /// <summary>Scores all texts at one exit and keeps no state.</summary>
    public void ScoreAll(RerankUnit[] units, int exit, CancellationToken cancellationToken) => StartAll(units, exit, hold: 0, cancellationToken);

    /// <summary>Scores all texts at the first exit of the plan, then those that carry on at the next, and so on to the last exit.</summary>
    public void ScoreProgressively(RerankUnit[] units, IReadOnlyList<RerankStep> steps, int lastExit, int top, CancellationToken cancellationToken)
    {
        int[] alive = [.. Enumerable.Range(0, Logits.Length)];
        if (steps.Count == 0)
        {
            ScoreAll(units, lastExit, cancellationToken);
            return;
        }

        StartAll(units, steps[0].Exit, steps[0].MostKept(alive.Length, top), cancellationToken);
        for (int i = 0; i < steps.Count; i++)
        {
            alive = steps[i].Survivors(Logits, alive, top);
            KeepOnly(alive);
            CarryOnHeld(i + 1 < steps.Count ? steps[i + 1].Exit : lastExit, hold: i + 1 < steps.Count, cancellationToken);
        }
    }

    /// <summary>Runs one text from its ids to an exit; the caller owns the state.</summary>
    public LayerState Start(RerankUnit[] units, int exit, CancellationToken cancellationToken)
    {
        TokenBatch batch = TokenBatch.Of([.. units.Select(unit => unit.Ids)]);
        return Timed(units, 0, exit, () => _model.Run(batch, exit, cancellationToken));
    }

    /// <summary>Carries one text on to a later exit; the caller owns both states.</summary>
    public LayerState CarryOn(LayerState state, RerankUnit[] units, int exit, CancellationToken cancellationToken) =>
        Timed(units, state.Exit, exit, () => _model.Continue(state, exit, cancellationToken));

    public void Dispose()
    {
        _held.ForEach(held => held.State.Dispose());
        _held.Clear();
    }

    // hold: how many texts may carry on; 0 keeps no state.
    private void StartAll(RerankUnit[] units, int exit, int hold, CancellationToken cancellationToken)
    {
        int[] lengths = [.. units.Select(unit => unit.Ids.Length)];

        // Enough batches that no stream waits long for the last one of another.
        int budget = Math.Min(_model.Options.MaxBatchTokens, Math.Max(512, lengths.Sum() / (4 * _streams)));
        List<int[]> batches = _model.Plan(lengths, budget);
        RerankStreams.Run(_streams, batches.Count, cancellationToken, i =>
        {
            RerankUnit[] batch = [.. batches[i].Select(unit => units[unit])];
            LayerState state = Start(batch, exit, cancellationToken);
            if (hold == 0)
            {
                state.Dispose();
                return;
            }

            lock (_lock)
            {
                _held.Add(new Held(state, batch));

                // A sliced text may still get its best slice, so its states stay.
                if (hold < Logits.Length && units.Length == Logits.Length && _held.Sum(held => held.Bytes) > MaxHeldBytes)
                {
                    // Only the best `hold` so far can still be among the best of all.
                    int[] scored = [.. Enumerable.Range(0, Logits.Length).Where(text => Exits[text] == exit)];
                    KeepOnly([.. scored.OrderByDescending(text => Logits[text]).Take(hold)]);
                }
            }
        });
    }

    private void CarryOnHeld(int exit, bool hold, CancellationToken cancellationToken)
    {
        List<Held> from = _held;
        ConcurrentBag<Held> next = [];
        try
        {
            RerankStreams.Run(_streams, from.Count, cancellationToken, i =>
            {
                LayerState state = CarryOn(from[i].State, from[i].Units, exit, cancellationToken);
                from[i].State.Dispose();
                if (hold)
                {
                    next.Add(new Held(state, from[i].Units));
                }
                else
                {
                    state.Dispose();
                }
            });
        }
        catch
        {
            // Disposing twice does nothing, so all of them can go.
            from.ForEach(held => held.State.Dispose());
            throw;
        }
        finally
        {
            _held = [.. next];
        }
    }

    private void KeepOnly(int[] texts)
    {
        HashSet<int> kept = [.. texts];
        List<Held> next = [];
        foreach (Held held in _held)
        {
            int[] rows = [.. Enumerable.Range(0, held.Units.Length).Where(row => kept.Contains(held.Units[row].Text))];
            if (rows.Length == held.Units.Length)
            {
                next.Add(held);
                continue;
            }

            if (rows.Length > 0)
            {
                next.Add(new Held(_model.Select(held.State, rows), [.. rows.Select(row => held.Units[row])]));
            }

            held.State.Dispose();
        }

        _held = next;
    }

    private LayerState Timed(RerankUnit[] units, int from, int to, Func<LayerState> run)
    {
        int tokens = units.Sum(unit => unit.Ids.Length);
        long started = Clock.GetTimestamp();
        try
        {
            LayerState state = run();
            Take(Score(state, units), units, to);
            Interlocked.Add(ref _layerTokens, (long)tokens * (to - from));
            Pace.Took(from, to, tokens, Clock.GetElapsedTime(started));
            return state;
        }
        catch (OperationCanceledException)
        {
            Pace.TookMore(from, to, tokens, Clock.GetElapsedTime(started));
            throw;
        }
    }

    private void Take(float[] logits, RerankUnit[] units, int exit)
    {
        lock (_lock)
        {
            for (int row = 0; row < units.Length; row++)
            {
                int text = units[row].Text;
                bool first = Exits[text] != exit;
                (Exits[text], Logits[text]) = (exit, first ? logits[row] : Math.Max(Logits[text], logits[row]));
            }
        }
    }

    private float[] Score(LayerState state, RerankUnit[] units)
    {
        int hidden = _model.Manifest.HiddenSize;
        bool finalNorm = _norm.At(state.Exit);
        float[] logits = new float[units.Length];
        if (!Probes.TryGetValue(state.Exit, out RerankProbe? probe))
        {
            float[] pooled = new float[units.Length * hidden];
            _model.Pool(state, finalNorm, pooled);
            _heads.Score(state.Exit, _dimension, pooled, hidden, logits);
            return logits;
        }

        int width = RerankFeatures.Width(_model);
        float[] features = RerankFeatures.Of(_model, state, finalNorm);
        if (_heads.Exits.Contains(state.Exit))
        {
            _heads.Score(state.Exit, _dimension, features, width, logits);
        }

        for (int row = 0; row < logits.Length; row++)
        {
            logits[row] = probe.Of(features.AsSpan(row * width, width), logits[row], units[row].Text);
        }

        return logits;
    }

    private sealed record Held(LayerState State, RerankUnit[] Units)
    {
        public long Bytes { get; } = State.Hidden.Length * (long)sizeof(float);
    }
}

/// <summary>Whether <c>final_norm</c> is applied to the states a head reads.</summary>
/// <param name="Early">At exits before the last.</param>
/// <param name="Last">At the last exit.</param>
/// <param name="Layers">The last exit.</param>
internal readonly record struct RerankNorm(bool Early, bool Last, int Layers)
{
    /// <summary>The contract of the folder; without one the published rule, which leaves the last exit raw; the caller's choice before both.</summary>
    public static RerankNorm Of(EncoderConfig config, ExitNorm? chosen) => (chosen, config.Contract) switch
    {
        (ExitNorm.FinalNorm, _) => new RerankNorm(true, true, config.Layers),
        (ExitNorm.Raw, _) => new RerankNorm(false, true, config.Layers),
        (_, RepresentationContract contract) => new RerankNorm(contract.NormAtEarlyExits, true, config.Layers),
        _ => new RerankNorm(true, false, config.Layers),
    };

    public bool At(int exit) => exit < Layers ? Early : Last;
}
