using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary>Measures one model folder: first its memory, with nothing else open, then its times in turn with those of the plain export.</summary>
internal sealed class BenchRun(string folder, ModelOptions options, int threads, Terminal terminal, CancellationToken cancellationToken) : IDisposable
{
    private const int PaddedBatch = 32, StreamTokens = 64;
    private const double ExportedBytesASecond = 60e6;   // written and opened, on a slow machine

    private readonly Dictionary<(ModelPrecision, int Tokens, int Exit), double> _peaks = [];
    private readonly Dictionary<ModelPrecision, MmBertModel> _models = [];
    private PlainExport? _plain;
    private ModelManifest _manifest = null!;
    private BenchSteps? _steps;
    private int _vocabulary;

    /// <summary>Cases of the plan that there was no time for.</summary>
    public IReadOnlyList<string> LeftOut => _steps?.LeftOut ?? [];

    /// <summary>Every case of a plan as it is done.</summary>
    /// <param name="choose">Makes the plan once the model is known.</param>
    /// <param name="progress">Told the part that is done.</param>
    public IEnumerable<BenchRow> Run(Func<ModelManifest, BenchPlan> choose, ProgressLine progress)
    {
        MmBertModel first = Open(ModelPrecision.Fp32);
        (_manifest, _vocabulary) = (first.Manifest, first.Config.VocabSize);
        first.Dispose();
        BenchPlan plan = choose(_manifest);
        BenchSteps steps = _steps = new(plan, progress);
        ReadMemory(plan, steps);
        TokenBatch warm = TokenBatch.Of(BenchPlan.Text(Math.Min(16, _manifest.ContextLength), _vocabulary));
        foreach (ModelPrecision precision in plan.Precisions)
        {
            MmBertModel model = Open(precision);
            _models.Add(precision, model);
            foreach (int exit in plan.Lengths.SelectMany(plan.Exits).Append(_manifest.Layers).Distinct())
            {
                Run(model, warm, exit);
            }
        }

        // A published graph is a plain export.
        TimeSpan export = TimeSpan.FromSeconds(Directory.EnumerateFiles(folder, "*.safetensors").Sum(file => new FileInfo(file).Length) / ExportedBytesASecond);
        _plain = _manifest.IsPublishedOnnx || !steps.HasTime("the plain export", export) ? null : PlainExport.Open(folder, threads);
        _plain?.Run(warm, cancellationToken);
        foreach (BenchRow row in plan.Lengths.SelectMany(length => OneText(plan, length, steps)).Concat(ShortTexts(plan, steps)).Concat(SideBySide(plan, steps)))
        {
            yield return row;
        }
    }

    public void Dispose()
    {
        foreach (MmBertModel model in _models.Values)
        {
            model.Dispose();
        }

        _plain?.Dispose();
    }

    private void ReadMemory(BenchPlan plan, BenchSteps steps)
    {
        foreach (ModelPrecision precision in plan.Precisions)
        {
            using MmBertModel model = Open(precision);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);   // what opening left behind is not the run's
            foreach (int tokens in plan.Lengths.Where(tokens => steps.Fits($"memory of {tokens} tokens, {Name(precision)}", tokens, plan.Exits(tokens).Count)))
            {
                TokenBatch text = TokenBatch.Of(BenchPlan.Text(tokens, _vocabulary));
                foreach (int exit in plan.Exits(tokens))
                {
                    long started = Stopwatch.GetTimestamp();
                    _peaks[(precision, tokens, exit)] = BenchMachine.PeakMegabytes(() => Run(model, text, exit));
                    steps.Done(tokens, 1, Stopwatch.GetElapsedTime(started));
                }
            }
        }
    }

    private IEnumerable<BenchRow> OneText(BenchPlan plan, int tokens, BenchSteps steps)
    {
        TokenBatch text = TokenBatch.Of(BenchPlan.Text(tokens, _vocabulary));
        (ModelPrecision Precision, int Exit)[] cases = [.. plan.Precisions.SelectMany(precision => plan.Exits(tokens).Select(exit => (precision, exit)))];
        bool compare = FitsPlain(tokens);
        if (!steps.Fits($"{tokens} tokens", tokens, cases.Length + 1))
        {
            yield break;
        }

        double[] least = InTurn(BenchPlan.Rounds(tokens), tokens, steps, out int rounds,
            [.. cases.Select(one => (Action)(() => Run(_models[one.Precision], text, one.Exit))), .. Plain(compare, text)]);
        for (int i = 0; i < cases.Length; i++)
        {
            yield return new BenchRow(BenchRow.OneText, _manifest.Id, tokens, Name(cases[i].Precision), cases[i].Exit, 1, least[i])
            {
                NaiveMilliseconds = compare ? least[^1] : null, PeakMegabytes = _peaks.TryGetValue((cases[i].Precision, tokens, cases[i].Exit), out double peak) ? peak : null, Rounds = rounds, Load = BenchMachine.Load,
            };
        }
    }

    // Planned batches against padded ones in arrival order, as programs commonly do it.
    private IEnumerable<BenchRow> ShortTexts(BenchPlan plan, BenchSteps steps)
    {
        if (plan.ShortTexts == 0)
        {
            yield break;
        }

        int[][] texts = BenchPlan.Short(steps.ShortTexts(plan.Precisions.Count + 1), _manifest.ContextLength, _vocabulary);
        TokenBatch[] padded = [.. texts.Chunk(PaddedBatch).Select(chunk => TokenBatch.Of(chunk))];
        int[] lengths = [.. texts.Select(text => text.Length)];
        int exit = _manifest.Layers, all = lengths.Sum();
        Dictionary<ModelPrecision, TokenBatch[]> planned = plan.Precisions.ToDictionary(precision => precision, precision =>
            _models[precision].Plan(lengths, _models[precision].Options.MaxBatchTokens).Select(batch => TokenBatch.Of([.. batch.Select(i => texts[i])])).ToArray());
        if (!steps.Fits("short texts", all, plan.Precisions.Count + 1))
        {
            yield break;
        }

        double[] least = InTurn(2, all, steps, out int rounds,
            [.. plan.Precisions.Select(precision => (Action)(() => Array.ForEach(planned[precision], batch => Run(_models[precision], batch, exit)))), .. Plain(_plain is not null, padded)]);
        for (int i = 0; i < plan.Precisions.Count; i++)
        {
            yield return new BenchRow(BenchRow.ShortTexts, _manifest.Id, (double)all / texts.Length, Name(plan.Precisions[i]), exit, texts.Length, least[i]) 
            {
                NaiveMilliseconds = _plain is null ? null : least[^1], Rounds = rounds, Load = BenchMachine.Load,
            };
        }
    }

    private IEnumerable<BenchRow> SideBySide(BenchPlan plan, BenchSteps steps)
    {
        int tokens = Math.Min(StreamTokens, _manifest.ContextLength);
        TokenBatch text = TokenBatch.Of(BenchPlan.Text(tokens, _vocabulary));
        foreach (ModelPrecision precision in plan.Precisions)
        {
            foreach (int streams in plan.Streams.Where(streams => steps.HasTime($"{streams} streams, {Name(precision)}", BenchSteps.StreamTime)))
            {
                int texts = 0;
                long started = Stopwatch.GetTimestamp();
                Parallel.For(0, streams, new ParallelOptions { MaxDegreeOfParallelism = streams, CancellationToken = cancellationToken }, _ =>
                {
                    do
                    {
                        Run(_models[precision], text, _manifest.Layers);
                        Interlocked.Increment(ref texts);
                    }
                    while (Stopwatch.GetElapsedTime(started) < BenchSteps.StreamTime);
                });
                yield return new BenchRow(BenchRow.ParallelStreams, _manifest.Id, tokens, Name(precision), _manifest.Layers, texts, Stopwatch.GetElapsedTime(started).TotalMilliseconds) { Streams = streams, Load = BenchMachine.Load };
            }
        }
    }

    // One after the other, again and again, so that a change of the machine's speed meets all of them.
    private double[] InTurn(int most, int tokens, BenchSteps steps, out int rounds, Action[] actions)
    {
        double[] least = new double[actions.Length];
        Array.Fill(least, double.MaxValue);
        TimeSpan limit = steps.Share(tokens, actions.Length);
        long started = Stopwatch.GetTimestamp();
        for (rounds = 0; rounds == 0 || (rounds < most && Stopwatch.GetElapsedTime(started) < limit); rounds++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                least[i] = Math.Min(least[i], BenchMachine.ProcessorMilliseconds(actions[i]));
            }
        }

        steps.Done(tokens, actions.Length, Stopwatch.GetElapsedTime(started) / rounds);
        return [.. least.Select(milliseconds => Math.Max(milliseconds, 0.001))];
    }

    // Scores, masks and their sums over [S, S] are held at once: where they do not fit, the plain export is not run.
    private bool FitsPlain(int tokens) => _plain is not null && 4L * sizeof(float) * _plain.Config.Heads * tokens * tokens < BenchMachine.Available * 3 / 4;

    private Action[] Plain(bool run, params TokenBatch[] batches) => run ? [() => Array.ForEach(batches, batch => _plain!.Run(batch, cancellationToken))] : [];

    private void Run(MmBertModel model, TokenBatch batch, int exit) => model.Run(batch, exit, cancellationToken).Dispose();

    private MmBertModel Open(ModelPrecision precision) => Models.Open(folder, options with { Precision = precision, Threads = threads }, terminal);

    private static string Name(ModelPrecision precision) => precision == ModelPrecision.Int8 ? "int8" : "fp32";
}
