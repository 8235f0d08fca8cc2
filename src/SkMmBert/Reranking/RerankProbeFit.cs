using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Learns the probe of each stop: ridge regression of the last exit's logit within each query, the texts near the top counting most.</summary>
/// <remarks>What is said of a query comes from probes that were fitted without it. How much of the state is trusted (none, or a ridge) is chosen by that.</remarks>
internal static class RerankProbeFit
{
    private const int Folds = 5;

    // Infinity leaves the state out; the others are shares of a feature's own variance.
    private static readonly double[] Ridges = [double.PositiveInfinity, 1, 0.3, 0.1, 0.03, 0.01, 0.003];

    /// <summary>The probe of each stop before the last, and guesses for every table by probes that have not seen it, [stops][tables][texts].</summary>
    public static (RerankProbe[] Probes, float[][][] Guesses) Fit(IReadOnlyList<RerankTable> tables)
    {
        int early = tables[0].Stops.Count - 1;
        (RerankProbe[] probes, float[][][] guesses) = (new RerankProbe[early], new float[early][][]);
        for (int stop = 0; stop < early; stop++)
        {
            (probes[stop], guesses[stop]) = FitStop(tables, stop);
        }

        return (probes, guesses);
    }

    private static (RerankProbe Probe, float[][] Guesses) FitStop(IReadOnlyList<RerankTable> tables, int stop)
    {
        int folds = Math.Min(Folds, tables.Count);
        if (folds < 2)
        {
            return Untaught(tables, stop);
        }

        int width = tables.Max(table => table.States.Length > 0 && table.Count > 0 ? table.States[stop][0].Length : 0), size = width + 3;
        double[][] parts = [.. Enumerable.Range(0, folds).Select(_ => new double[size * size])];
        double[] all = new double[size * size];
        for (int i = 0; i < tables.Count; i++)
        {
            Add(tables[i], stop, width, parts[i % folds]);
        }

        Array.ForEach(parts, part => TensorPrimitives.Add(all, part, all));
        double[][] rest = [.. parts.Select(part => all.Zip(part, (sum, own) => sum - own).ToArray())];
        (double Ridge, double Error, float[][] Guesses) best = (0, double.PositiveInfinity, []);
        foreach (double ridge in width == 0 ? Ridges[..1] : Ridges)
        {
            RerankProbe[] probes = [.. rest.Select(sums => Solve(sums, width, ridge))];
            float[][] guesses = [.. tables.Select((table, i) => table.Guess(stop, probes[i % folds]))];
            double error = tables.Zip(guesses, (table, guess) => Error(table, guess)).Sum();
            if (error < best.Error)
            {
                best = (ridge, error, guesses);
            }
        }

        if (!double.IsFinite(best.Error))
        {
            return Untaught(tables, stop);
        }

        RerankProbe probe = Solve(all, width, best.Ridge);
        return (probe with { Level = (float)tables.Average(table => Level(table, table.Guess(stop, probe))) }, best.Guesses);
    }

    private static (RerankProbe Probe, float[][] Guesses) Untaught(IReadOnlyList<RerankTable> tables, int stop)
    {
        RerankProbe probe = tables[0].HasHead(stop) ? RerankProbe.OwnLogit : RerankProbe.FirstStage;
        return (probe, [.. tables.Select(table => table.Guess(stop, probe))]);
    }

    // Weighted sums of products of all features and the target, each less its mean in the query: only differences within a query matter.
    private static void Add(RerankTable table, int stop, int width, double[] sums)
    {
        int size = width + 3;
        float[] weights = Weights(table);
        double[][] rows = new double[table.Count][];
        double[] mean = new double[size];
        for (int text = 0; text < rows.Length; text++)
        {
            double[] row = rows[text] = new double[size];
            if (width > 0)
            {
                TensorPrimitives.ConvertTruncating<float, double>(table.States[stop][text], row);
            }

            (row[width], row[width + 1], row[width + 2]) = (table.LogitAt(stop, text), RerankProbe.PlaceValue(text), table.Logits[^1][text]);
            TensorPrimitives.MultiplyAdd(row, weights[text], mean, mean);
        }

        Array.ForEach(rows, row => TensorPrimitives.Subtract(row, mean, row));

        // A line of the sums stays in the processor's cache while all texts are added to it.
        for (int i = 0; i < size; i++)
        {
            Span<double> line = sums.AsSpan((i * size) + i, size - i);
            for (int text = 0; text < rows.Length; text++)
            {
                TensorPrimitives.MultiplyAdd(rows[text].AsSpan(i), weights[text] * rows[text][i], line, line);
            }
        }
    }

    private static double Error(RerankTable table, float[] guess)
    {
        float[] weights = Weights(table), last = table.Logits[^1];
        double mean = Level(table, guess), square = 0;
        for (int text = 0; text < guess.Length; text++)
        {
            double error = last[text] - guess[text] - mean;
            square += weights[text] * error * error;
        }

        return square;
    }

    // How far the last logits lie above the guesses, the best texts counting most.
    private static double Level(RerankTable table, float[] guess)
    {
        float[] weights = Weights(table), last = table.Logits[^1];
        double level = 0;
        for (int text = 0; text < guess.Length; text++)
        {
            level += weights[text] * (last[text] - guess[text]);
        }

        return level;
    }

    // Sum 1 in each query; half of it on about the first ten of a hundred.
    private static float[] Weights(RerankTable table)
    {
        float[] weights = new float[table.Count];
        int[] best = table.Best(table.Stops.Count - 1, table.Count);
        for (int place = 0; place < best.Length; place++)
        {
            weights[best[place]] = 1f / (10 + place);
        }

        TensorPrimitives.Divide(weights, Math.Max(TensorPrimitives.Sum<float>(weights), float.Epsilon), weights);
        return weights;
    }

    // Cholesky of the correlations, so that one ridge suits features of any scale.
    private static RerankProbe Solve(double[] sums, int width, double ridge)
    {
        const double Least = 1e-4;
        int size = width + 3, skipped = double.IsInfinity(ridge) ? width : 0, n = width + 2 - skipped;
        double[] scale = new double[n], solution = new double[n];
        double[][] lower = new double[n][];
        for (int i = 0; i < n; i++)
        {
            double own = sums[((i + skipped) * size) + i + skipped];
            scale[i] = own > 1e-12 ? 1 / Math.Sqrt(own) : 0;
        }

        for (int i = 0; i < n; i++)
        {
            double[] row = lower[i] = new double[i + 1];
            for (int j = 0; j <= i; j++)
            {
                double correlation = sums[((j + skipped) * size) + i + skipped] * scale[i] * scale[j];
                double left = correlation + (i == j ? (i + skipped < width ? ridge : Least) : 0) - TensorPrimitives.Dot(row.AsSpan(0, j), lower[j].AsSpan(0, j));
                row[j] = i == j ? Math.Sqrt(Math.Max(left, 1e-12)) : left / lower[j][j];
            }

            double target = sums[((i + skipped) * size) + size - 1] * scale[i];
            solution[i] = (target - TensorPrimitives.Dot(row.AsSpan(0, i), solution.AsSpan(0, i))) / row[i];
        }

        for (int i = n - 1; i >= 0; i--)
        {
            for (int below = i + 1; below < n; below++)
            {
                solution[i] -= lower[below][i] * solution[below];
            }

            solution[i] /= lower[i][i];
        }

        TensorPrimitives.Multiply(solution, scale, solution);
        return new RerankProbe([.. solution[..(n - 2)].Select(weight => (float)weight)], (float)solution[n - 2], (float)solution[n - 1], 0);
    }
}
