namespace SkMmBert;

/// <summary>Every exit's logits for the candidates of one query: what the outcome of any effort can be computed from without running it.</summary>
/// <param name="Exits">Exits, ascending.</param>
/// <param name="Logits">[exits][texts].</param>
/// <param name="Tokens">Tokens of each text beside the query, [texts].</param>
/// <param name="First">First-stage scores, [texts].</param>
/// <param name="Sample">The query and its gains.</param>
internal sealed record RerankTable(IReadOnlyList<int> Exits, float[][] Logits, int[] Tokens, float[] First, RerankSample Sample)
{
    public int Count => Tokens.Length;

    /// <summary>What the heads read, [exits][texts][hidden]; empty where it was not kept.</summary>
    public float[][][] States { get; init; } = [];

    public double FullCost => (double)Tokens.Sum() * Exits[^1];

    /// <summary>The best texts at an exit, by index into <see cref="Exits"/>.</summary>
    public int[] Best(int exit, int count) => [.. Enumerable.Range(0, Count).OrderByDescending(text => Logits[exit][text]).Take(count)];

    /// <summary>What a probe guesses of each text's last logit at an exit, by index.</summary>
    public float[] Guess(int exit, RerankProbe probe)
    {
        float[] guess = new float[Count];
        for (int text = 0; text < guess.Length; text++)
        {
            guess[text] = probe.Of(probe.State.Length == 0 ? [] : States[exit][text], Logits[exit][text], text);
        }

        return guess;
    }

    /// <summary>Runs a table through a plan, given the guesses of an exit by index: who reaches the last exit, and the layer-tokens spent.</summary>
    public (int[] Reached, double Cost) Simulate(IReadOnlyList<RerankStep> steps, Func<int, float[]> guesses)
    {
        int[] alive = [.. Enumerable.Range(0, Count)];
        double cost = 0;
        int from = 0;
        foreach (RerankStep step in steps)
        {
            cost += alive.Sum(text => (double)Tokens[text]) * (step.Exit - from);
            alive = step.Survivors(guesses(IndexOf(step.Exit)), alive, 0);
            from = step.Exit;
        }

        return (alive, cost + (alive.Sum(text => (double)Tokens[text]) * (Exits[^1] - from)));
    }

    /// <summary>Runs a table through a deadline of some layer-tokens, given the guesses of the early exit, and gives the resulting order.</summary>
    public int[] SimulateDeadline(double budget, int earlyExit, float share, float[] guess)
    {
        int early = IndexOf(earlyExit), last = Exits.Count - 1, next = 0, finished = 0;
        RerankScore[] scores = new RerankScore[Count];
        List<int> waiting = [];
        double spent = 0;
        while (waiting.Count > 0 || next < Count)
        {
            bool carryOn = waiting.Count > 0 && (next == Count || finished < share * next);
            int text = carryOn ? waiting.MaxBy(candidate => guess[candidate]) : next++;
            int exit = carryOn ? last : early;
            spent += (double)Tokens[text] * (Exits[exit] - (carryOn ? earlyExit : 0));
            if (spent > budget)
            {
                break;
            }

            scores[text] = new RerankScore(exit == last ? Logits[exit][text] : guess[text], Exits[exit]);
            if (carryOn)
            {
                waiting.Remove(text);
                finished++;
            }
            else if (early != last)
            {
                waiting.Add(text);
            }
        }

        return RerankBlend.Sort(scores, [.. scores.Select(score => score.Order)]);
    }

    /// <summary>The order that a blend of the first stage and an exit gives.</summary>
    public int[] Blended(int exit, float weight)
    {
        RerankScore[] scores = [.. Logits[exit].Select(logit => new RerankScore(logit, Exits[exit]))];
        return RerankBlend.Sort(scores, weight == 1 ? Logits[exit] : RerankBlend.Blend(First, scores, weight));
    }

    private int IndexOf(int exit)
    {
        int index = 0;
        while (Exits[index] != exit)
        {
            index++;
        }

        return index;
    }

    /// <summary>nDCG of an order among its first places; NaN without gains.</summary>
    public double Ndcg(IReadOnlyList<int> order, int places = 10)
    {
        if (Sample.Gains is not IReadOnlyList<float> gains)
        {
            return double.NaN;
        }

        double ideal = Discounted(gains.Concat(Sample.MissedGains).OrderDescending());
        return ideal > 0 ? Discounted(order.Select(text => gains[text])) / ideal : double.NaN;

        double Discounted(IEnumerable<float> values) => values.Take(places).Select((gain, place) => gain / Math.Log2(place + 2)).Sum();
    }

    /// <summary>One over the place of the first relevant text; 0 where none is relevant, NaN without gains.</summary>
    public double ReciprocalRank(IReadOnlyList<int> order)
    {
        if (Sample.Gains is not IReadOnlyList<float> gains)
        {
            return double.NaN;
        }

        for (int place = 0; place < order.Count; place++)
        {
            if (gains[order[place]] > 0)
            {
                return 1.0 / (place + 1);
            }
        }

        return 0;
    }
}
