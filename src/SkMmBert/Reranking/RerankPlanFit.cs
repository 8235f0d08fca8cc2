namespace SkMmBert;

/// <summary>Finds the cheapest progressive plan that keeps a stated loss. Pure functions.</summary>
internal static class RerankPlanFit
{
    // More steps save little; the search grows with their number.
    private const int MostSteps = 3, MostExits = 10;

    // How much of the allowed loss goes to a step.
    private static readonly double[] Parts = [0, 0.25, 0.5, 0.75, 1];

    /// <summary>The cheapest plan whose top differs from the full one in at most the stated share of queries, those not seen included.</summary>
    /// <remarks>
    /// A plan that lost k of n queries is taken to lose (k + 1) / (n + 1) of others, the bound of conformal risk control: guesses come from probes that have not seen the
    /// query. So a loss of 2 % needs 49 queries; with fewer of them, everything is carried on.
    /// </remarks>
    /// <param name="tables">The queries.</param>
    /// <param name="guesses">[exits][tables][texts].</param>
    /// <param name="loss">Share of queries that may lose a member of the top.</param>
    /// <param name="top">Size of the top.</param>
    public static (IReadOnlyList<RerankStep> Steps, double Same, double Cost) Fit(IReadOnlyList<RerankTable> tables, float[][][] guesses, double loss, int top)
    {
        int early = guesses.Length, allowed = (int)Math.Floor((loss * (tables.Count + 1)) + 1e-9) - 1;
        (IReadOnlyList<RerankStep> Steps, double Same, double Cost) best = ([], 1, 1);
        if (allowed < 0)
        {
            return best;
        }

        int[][] tops = [.. tables.Select(table => table.Best(early, top))];
        float[][] margins = [.. guesses.Select(guess => tables.Select((table, i) => RequiredMargin(guess[i], tops[i])).Order().ToArray())];
        RerankStep[][] choices = [.. margins.Select((needed, exit) => Parts
            .Select(part => needed[Math.Max(0, needed.Length - 1 - (int)(part * allowed))]).Distinct()
            .Select(margin => new RerankStep(tables[0].Stops[exit], top, margin, 1)).ToArray())];
        for (int chosen = 1; chosen < 1 << Math.Min(early, MostExits); chosen++)
        {
            int[] exits = [.. Enumerable.Range(0, early).Where(exit => (chosen >> exit & 1) != 0)];
            if (exits.Length > MostSteps)
            {
                continue;
            }

            IEnumerable<IReadOnlyList<RerankStep>> plans = [[]];
            foreach (int exit in exits)
            {
                plans = plans.SelectMany(plan => choices[exit].Select(step => (IReadOnlyList<RerankStep>)[.. plan, step]));
            }

            foreach (IReadOnlyList<RerankStep> plan in plans)
            {
                (int same, double cost) = Run(tables, tops, plan, guesses, allowed, best.Cost);
                if (tables.Count - same <= allowed && cost < best.Cost)
                {
                    best = (plan, (double)same / tables.Count, cost);
                }
            }
        }

        return best;
    }

    /// <summary>How many queries keep their top, and the share of layer-tokens spent.</summary>
    public static (int Same, double Cost) Run(IReadOnlyList<RerankTable> tables, IReadOnlyList<RerankStep> plan, float[][][] guesses, int top) =>
        Run(tables, [.. tables.Select(table => table.Best(table.Stops.Count - 1, top))], plan, guesses, int.MaxValue, double.PositiveInfinity);

    // Broken off where more than the allowed number lose their top, or the cost is beyond what would be of use: then the figures are of the part that was run.
    private static (int Same, double Cost) Run(IReadOnlyList<RerankTable> tables, int[][] tops, IReadOnlyList<RerankStep> plan, float[][][] guesses, int allowed, double mostCost)
    {
        int same = 0;
        double cost = 0, full = tables.Sum(table => table.FullCost);
        for (int i = 0; i < tables.Count && i - same <= allowed && cost <= mostCost * full; i++)
        {
            (int[] reached, double spent) = tables[i].Simulate(plan, exit => guesses[exit][i]);
            same += tops[i].All(reached.Contains) ? 1 : 0;
            cost += spent;
        }

        return (same, full > 0 ? cost / full : 1);
    }

    // How far below the last of the best k by a guess the lowest member of the full top lies.
    private static float RequiredMargin(float[] guess, int[] top)
    {
        float[] best = [.. guess.OrderDescending().Take(top.Length)];
        return best.Length == 0 ? 0 : Math.Max(0, best[^1] - top.Min(text => guess[text]));
    }
}
