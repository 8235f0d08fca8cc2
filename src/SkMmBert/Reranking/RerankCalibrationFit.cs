namespace SkMmBert;

/// <summary>Learns a calibration from tables of logits. Pure functions.</summary>
internal static class RerankCalibrationFit
{
    public static RerankCalibration Fit(RerankCalibration empty, IReadOnlyList<RerankTable> tables, double loss, int top)
    {
        (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(tables);
        (IReadOnlyList<RerankStep> steps, double same, double cost) = RerankPlanFit.Fit(tables, guesses, loss, top);
        (int exit, float share) = FitDeadline(tables, guesses, top);
        (float? blend, (double, double, double)? ndcg) = FitBlend(tables);
        return empty with
        {
            Queries = tables.Count,
            Top = top,
            Loss = loss,
            SameTop = same,
            Cost = cost,
            Steps = steps,
            Probes = probes.Select((probe, i) => (Exit: tables[0].Stops[i], Probe: probe)).ToDictionary(pair => pair.Exit, pair => pair.Probe),
            EarlyExit = exit,
            DeadlineShare = share,
            Blend = blend,
            Ndcg = ndcg,
        };
    }

    private static (int Exit, float Share) FitDeadline(IReadOnlyList<RerankTable> tables, float[][][] guesses, int top)
    {
        (int Exit, float Share) best = (tables[0].Stops[^1], 1);
        double most = -1;
        for (int early = 0; early < tables[0].Stops.Count; early++)
        {
            int exit = tables[0].Stops[early];
            foreach (float share in (ReadOnlySpan<float>)[0.2f, 0.3f, 0.4f, 0.5f, 0.7f])
            {
                double overlap = 0;
                foreach (double budget in (ReadOnlySpan<double>)[0.05, 0.1, 0.2, 0.4, 0.7])
                {
                    overlap += tables.Select((table, i) => Overlap(table, table.SimulateDeadline(budget * table.FullCost, exit, share, early < guesses.Length ? guesses[early][i] : table.Logits[early]), top)).Average();
                }

                if (overlap > most + 1e-9)
                {
                    (best, most) = ((exit, share), overlap);
                }
            }
        }

        return best;
    }

    /// <summary>Share of the full top that is among the first places of an order.</summary>
    public static double Overlap(RerankTable table, IReadOnlyList<int> order, int top)
    {
        int[] full = table.Best(table.Stops.Count - 1, top);
        return full.Length == 0 ? 1 : full.Intersect(order.Take(top)).Count() / (double)full.Length;
    }

    /// <summary>The weight of the rerank scores that gains most and surely; 0 where none does, null where no query was labelled.</summary>
    public static (float? Blend, (double First, double Rerank, double Blend)? Ndcg) FitBlend(IReadOnlyList<RerankTable> tables)
    {
        RerankTable[] labelled = [.. tables.Where(table => !double.IsNaN(table.Ndcg([])))];
        if (labelled.Length == 0)
        {
            return (null, null);
        }

        int last = labelled[0].Stops.Count - 1;
        double[] first = [.. labelled.Select(table => table.Ndcg([.. Enumerable.Range(0, table.Count)]))];
        (float Weight, double Mean) best = (0, first.Average());
        double rerank = 0;
        for (int tenth = 1; tenth <= 20; tenth++)
        {
            float weight = tenth / 20f;
            double[] ndcg = [.. labelled.Select(table => table.Ndcg(table.Blended(last, weight)))];
            double[] gain = [.. ndcg.Zip(first, (a, b) => a - b)];
            double mean = gain.Average(), error = gain.Length < 2 ? double.PositiveInfinity : Math.Sqrt(gain.Sum(g => (g - mean) * (g - mean)) / (gain.Length - 1) / gain.Length);
            rerank = ndcg.Average();

            // A gain within twice its own error would be noise elsewhere: then the first stage stays alone.
            if (mean > 2 * error && ndcg.Average() > best.Mean)
            {
                best = (weight, ndcg.Average());
            }
        }

        return (best.Weight, (first.Average(), rerank, best.Mean));
    }
}
