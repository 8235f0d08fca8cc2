namespace SkMmBert;

/// <summary>Learns a calibration from tables of logits. Pure functions.</summary>
internal static class RerankCalibrationFit
{
    public static RerankCalibration Fit(RerankCalibration empty, IReadOnlyList<RerankTable> tables, double loss, int top)
    {
        (IReadOnlyList<RerankStep> steps, double same, double cost) = FitSteps(tables, loss, top);
        (int exit, float share) = FitDeadline(tables, top);
        (float? blend, (double, double, double)? ndcg) = FitBlend(tables);
        return empty with
        {
            Queries = tables.Count,
            Top = top,
            Loss = loss,
            SameTop = same,
            Cost = cost,
            Steps = steps,
            EarlyExit = exit,
            DeadlineShare = share,
            Blend = blend,
            Ndcg = ndcg,
        };
    }

    /// <summary>The cheapest plan whose top differs from the full one in at most half of the given share of queries; the other half is left for queries not seen.</summary>
    public static (IReadOnlyList<RerankStep> Steps, double Same, double Cost) FitSteps(IReadOnlyList<RerankTable> tables, double loss, int top)
    {
        loss /= 2;
        int early = tables[0].Exits.Count - 1;
        (IReadOnlyList<RerankStep> Steps, double Same, double Cost) best = ([], 1, 1);

        // Every choice of exits to stop at; at each of them, how much of the allowed loss goes there. At most four, so that the search stays small.
        for (int chosen = 1; chosen < 1 << Math.Min(early, 10); chosen++)
        {
            int[] exits = [.. Enumerable.Range(0, early).Where(exit => (chosen >> exit & 1) != 0)];
            if (exits.Length > 4)
            {
                continue;
            }

            List<IReadOnlyList<RerankStep>> plans = [[]];
            for (int i = 0; i < exits.Length; i++)
            {
                RerankStep step = new(tables[0].Exits[exits[i]], top, 0, 1) { Weights = RerankGuess.Fit(tables, exits[..(i + 1)]) };
                int[] visited = exits[..(i + 1)];
                float[] margins = [.. tables.Select(table => RequiredMargin(table, step.Guess([.. visited.Select(exit => table.Logits[exit])]), top)).Order()];
                IEnumerable<float> choices = new[] { 0, 0.125, 0.25, 0.5, 0.75, 1 }.Select(part => margins[Math.Max(0, margins.Length - 1 - (int)Math.Floor(part * loss * margins.Length))]).Distinct();
                plans = [.. plans.SelectMany(plan => choices.Select(margin => (IReadOnlyList<RerankStep>)[.. plan, step with { Margin = margin }]))];
            }

            foreach (IReadOnlyList<RerankStep> plan in plans)
            {
                (double same, double cost) = Evaluate(tables, plan, top);
                if (same >= 1 - loss && cost < best.Cost)
                {
                    best = (plan, same, cost);
                }
            }
        }

        return best;
    }

    /// <summary>Share of queries with the same top as in full, and the share of layer-tokens spent.</summary>
    public static (double Same, double Cost) Evaluate(IReadOnlyList<RerankTable> tables, IReadOnlyList<RerankStep> steps, int top)
    {
        int same = 0;
        double cost = 0, full = 0;
        foreach (RerankTable table in tables)
        {
            (int[] reached, double spent) = table.Simulate(steps, 0);
            same += table.Best(table.Exits.Count - 1, top).All(reached.Contains) ? 1 : 0;
            cost += spent;
            full += table.FullCost;
        }

        return ((double)same / tables.Count, full > 0 ? cost / full : 1);
    }

    /// <summary>How far below the last of the best k by a guess the lowest member of the full top lies.</summary>
    private static float RequiredMargin(RerankTable table, float[] guess, int top)
    {
        float[] best = [.. guess.OrderDescending().Take(top)];
        return best.Length == 0 ? 0 : Math.Max(0, best[^1] - table.Best(table.Exits.Count - 1, top).Min(text => guess[text]));
    }

    private static (int Exit, float Share) FitDeadline(IReadOnlyList<RerankTable> tables, int top)
    {
        (int Exit, float Share) best = (tables[0].Exits[^1], 1);
        double most = -1;
        foreach (int exit in tables[0].Exits)
        {
            foreach (float share in (ReadOnlySpan<float>)[0.2f, 0.3f, 0.4f, 0.5f, 0.7f])
            {
                double overlap = 0;
                foreach (double budget in (ReadOnlySpan<double>)[0.05, 0.1, 0.2, 0.4, 0.7])
                {
                    overlap += tables.Average(table => Overlap(table, table.SimulateDeadline(budget * table.FullCost, exit, share), top));
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
        int[] full = table.Best(table.Exits.Count - 1, top);
        return full.Length == 0 ? 1 : full.Intersect(order.Take(top)).Count() / (double)full.Length;
    }

    private static (float? Blend, (double First, double Rerank, double Blend)? Ndcg) FitBlend(IReadOnlyList<RerankTable> tables)
    {
        RerankTable[] labelled = [.. tables.Where(table => !double.IsNaN(table.Ndcg([])))];
        if (labelled.Length == 0)
        {
            return (null, null);
        }

        int last = labelled[0].Exits.Count - 1;
        double[] first = [.. labelled.Select(table => table.Ndcg([.. Enumerable.Range(0, table.Count)]))];
        (float Weight, double Mean) best = (0, first.Average());
        double rerank = 0;
        for (int tenth = 1; tenth <= 20; tenth++)
        {
            float weight = tenth / 20f;
            double[] ndcg = [.. labelled.Select(table => table.Ndcg(table.Blended(last, weight)))];
            double[] gain = [.. ndcg.Zip(first, (a, b) => a - b)];
            double mean = gain.Average(), error = Math.Sqrt(gain.Average(g => (g - mean) * (g - mean)) / gain.Length);
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
