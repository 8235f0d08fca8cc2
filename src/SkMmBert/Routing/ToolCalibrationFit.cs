namespace SkMmBert;

/// <summary>Fits a calibration: a logistic regression of the signals, then the threshold that keeps the target.</summary>
internal static class ToolCalibrationFit
{
    private const int Steps = 400;
    private const double Ridge = 0.002;

    public static async Task<ToolCalibration> RunAsync(ToolRouter router, IEnumerable<ToolExample> examples, double target, CancellationToken cancellationToken)
    {
        List<(float[] Signals, bool Fits)> rows = [];
        foreach (ToolExample example in examples)
        {
            if (string.IsNullOrWhiteSpace(example.Query))
            {
                continue;
            }

            (_, ToolSignals signals, _) = await router.SearchAsync(example.Query, ToolSearch.Candidates, cancellationToken).ConfigureAwait(false);
            float[] values = new float[ToolSignals.Length];
            signals.CopyTo(values);
            rows.Add((values, example.Tools.Count > 0));
        }

        return Fit(rows, target, router.Options.Calibration);
    }

    public static ToolCalibration Fit(IReadOnlyList<(float[] Signals, bool Fits)> rows, double target, ToolCalibration start)
    {
        int without = rows.Count(row => !row.Fits), with = rows.Count - without;
        if (without == 0 || with == 0)
        {
            return start;
        }

        ToolCalibration fitted = start with { Weights = Regress(rows, 0.5 / with, 0.5 / without) };
        float[] missing = [.. rows.Where(row => !row.Fits).Select(row => fitted.Confidence(row.Signals)).OrderDescending()];

        // The threshold lies between two of the tool-less questions. One standard error fewer than the target above it: a handful of
        // examples says little of the next hundred, and a rate that was promised should hold there.
        double expected = target * missing.Length, error = Math.Sqrt(expected * (1 - target));
        int allowed = Math.Clamp((int)(expected - error), 0, missing.Length - 1);
        return fitted with { Threshold = allowed == 0 ? MathF.BitIncrement(missing[0]) : (missing[allowed] + missing[allowed - 1]) / 2 };
    }

    // Gradient descent on standardised signals; both kinds count alike.
    private static float[] Regress(IReadOnlyList<(float[] Signals, bool Fits)> rows, double weightWith, double weightWithout)
    {
        int length = ToolSignals.Length;
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
}
