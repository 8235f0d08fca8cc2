using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Fits a calibration: what labelled questions teach of their tools, a logistic regression of the signals, then the threshold that keeps the target.</summary>
internal static class ToolCalibrationFit
{
    private const int Steps = 400;
    private const double Ridge = 0.002;
    private const int TailShare = 4, LeastTail = 5;

    /// <summary>One labelled question.</summary>
    /// <param name="Signals">Of its search, the learned one last.</param>
    /// <param name="Fits">Whether some tool fits.</param>
    private readonly record struct Row(float[] Signals, bool Fits);

    public static async Task<ToolCalibration> RunAsync(ToolRouter router, IEnumerable<ToolExample> examples, double target, CancellationToken cancellationToken)
    {
        List<Row> rows = [];
        List<LabelledVector> questions = [];
        List<int> best = [];
        ToolIndex? index = null;
        foreach (ToolExample example in examples)
        {
            if (string.IsNullOrWhiteSpace(example.Query))
            {
                continue;
            }

            (ToolHit[] hits, ToolSignals signals, index, ToolQuery query) = await router.SearchAsync(example.Query, ToolSearch.Candidates, cancellationToken).ConfigureAwait(false);
            float[] values = new float[ToolSignals.Length + 1];
            signals.CopyTo(values);
            rows.Add(new Row(values, example.Tools.Count > 0));
            questions.Add(new LabelledVector(Unit(query.Views[0]), Tools(index, example.Tools)));
            best.Add(hits.Length > 0 ? hits[0].Tool : -1);
        }

        int without = rows.Count(row => !row.Fits);
        ToolCalibration start = router.Options.Calibration;
        if (without == 0 || without == rows.Count)
        {
            return start;
        }

        (float[] weights, float threshold) = Fit([.. rows.Select(row => row with { Signals = row.Signals[..ToolSignals.Length] })], target);
        ToolCalibration plain = start with { Weights = weights, Threshold = threshold, Learned = null };
        return await Task.Run(() => Learn(plain, index!, router.Fingerprint, rows, questions, best, target, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static ToolCalibration Learn(ToolCalibration plain, ToolIndex index, string model, List<Row> rows, List<LabelledVector> questions, List<int> best, double target, CancellationToken cancellationToken)
    {
        if (LearnedToolsFit.Run(index, model, questions, cancellationToken) is not var (learned, heldOut))
        {
            return plain;
        }

        // Only where the best tool is a learned one will what was learned be asked.
        int[] toolRows = learned.RowsOf(index.Profiles);
        List<Row> asked = [];
        for (int i = 0; i < rows.Count; i++)
        {
            if (best[i] >= 0 && toolRows[best[i]] >= 0)
            {
                rows[i].Signals[^1] = heldOut[i];
                asked.Add(rows[i]);
            }
        }

        int without = asked.Count(row => !row.Fits);
        if (without == 0 || without == asked.Count)
        {
            return plain;
        }

        (float[] weights, float threshold) = Fit(asked, target);
        if (weights[ToolSignals.Length] <= 0)
        {
            return plain;
        }

        // One threshold for both: the other tools' confidence is moved so that theirs is met where it was.
        float[] moved = [.. plain.Weights];
        moved[^1] += Logit(threshold) - Logit(plain.Threshold);
        return plain with { Weights = moved, Threshold = threshold, Learned = learned.With(weights) };
    }

    private static (float[] Weights, float Threshold) Fit(IReadOnlyList<Row> rows, double target)
    {
        int without = rows.Count(row => !row.Fits), with = rows.Count - without;
        float[] weights = Regress(rows, 0.5 / with, 0.5 / without);
        float[] missing = [.. rows.Where(row => !row.Fits).Select(row => ToolCalibration.Confidence(row.Signals, weights)).OrderDescending()];

        return (weights, Threshold(missing, target));
    }

    // Where the target lies, and one standard error of that estimate further: a handful of examples says little of the next hundred, and a rate
    // that was promised should hold there. The highest of a handful are luck, so the best quarter of the questions is taken to thin out evenly (in logits,
    // by the mean excess), which also tells 1 % from 2 % with a hundred of them. Never below where the target is met on the examples themselves.
    private static float Threshold(float[] missing, double target)
    {
        int allowed = Math.Min((int)(target * missing.Length), missing.Length - 1), tail = missing.Length / TailShare;
        float met = allowed == 0 ? MathF.BitIncrement(missing[0]) : (missing[allowed] + missing[allowed - 1]) / 2;
        if (tail < LeastTail || target * TailShare is <= 0 or >= 1)
        {
            return met;
        }

        // An exponential tail: its start errs by the count above it, its mean excess by as many samples.
        double from = Logit(missing[tail]), excess = missing.Take(tail).Average(confidence => Logit(confidence) - from);
        double depth = -Math.Log(target * TailShare), error = Math.Sqrt((TailShare - 1 + (TailShare * depth * depth)) / missing.Length);
        return Math.Max(met, (float)(1 / (1 + Math.Exp(-from - (excess * (depth + error))))));
    }

    // Gradient descent on standardised signals; both kinds count alike.
    private static float[] Regress(IReadOnlyList<Row> rows, double weightWith, double weightWithout)
    {
        int length = rows[0].Signals.Length;
        double[] mean = new double[length], spread = new double[length], weights = new double[length + 1], gradient = new double[length + 1];
        for (int i = 0; i < length; i++)
        {
            mean[i] = rows.Average(row => (double)row.Signals[i]);
            spread[i] = Math.Max(1e-4, Math.Sqrt(rows.Average(row => Math.Pow(row.Signals[i] - mean[i], 2))));
        }

        for (int step = 0; step < Steps; step++)
        {
            Array.Clear(gradient);
            foreach ((float[] signals, bool fits) in rows)
            {
                double sum = weights[length];
                for (int i = 0; i < length; i++)
                {
                    sum += weights[i] * (signals[i] - mean[i]) / spread[i];
                }

                double error = ((1 / (1 + Math.Exp(-sum))) - (fits ? 1 : 0)) * (fits ? weightWith : weightWithout);
                for (int i = 0; i < length; i++)
                {
                    gradient[i] += error * (signals[i] - mean[i]) / spread[i];
                }

                gradient[length] += error;
            }

            for (int i = 0; i <= length; i++)
            {
                weights[i] -= gradient[i] + (i < length ? Ridge * weights[i] : 0);
            }
        }

        float[] raw = new float[length + 1];
        raw[length] = (float)weights[length];
        for (int i = 0; i < length; i++)
        {
            raw[i] = (float)(weights[i] / spread[i]);
            raw[length] -= (float)(weights[i] * mean[i] / spread[i]);
        }

        return raw;
    }

    private static int[] Tools(ToolIndex index, IReadOnlyList<string> names) =>
        [.. Enumerable.Range(0, names.Count == 0 ? 0 : index.Count).Where(tool => names.Contains(index.Profiles[tool].QualifiedName) || names.Contains(index.Profiles[tool].Name))];

    private static float[] Unit(float[] vector)
    {
        float length = TensorPrimitives.Norm<float>(vector);
        float[] unit = [.. vector];
        TensorPrimitives.Multiply(unit, length > 0 ? 1 / length : 0, unit);
        return unit;
    }

    private static float Logit(float chance)
    {
        double inside = Math.Clamp(chance, 1e-6, 1 - 1e-6);
        return (float)Math.Log(inside / (1 - inside));
    }
}
