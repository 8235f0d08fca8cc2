namespace SkMmBert;

/// <summary>Every stop's logits and states for the candidates of one query: what the outcome of any effort can be computed from without running it.</summary>
/// <param name="Stops">Layers, ascending.</param>
/// <param name="Logits">Of the heads, [stops][texts]; empty where a stop has none.</param>
/// <param name="Tokens">Tokens of each text beside the query, [texts].</param>
/// <param name="First">First-stage scores, [texts].</param>
/// <param name="Sample">The query and its gains.</param>
internal sealed record RerankTable(IReadOnlyList<int> Stops, float[][] Logits, int[] Tokens, float[] First, RerankSample Sample)
{
    public int Count => Tokens.Length;

    /// <summary>What a probe reads before the last stop, [stops][texts][features]; empty where it was not kept.</summary>
    public float[][][] States { get; init; } = [];

    public double FullCost => (double)Tokens.Sum() * Stops[^1];

    /// <summary>Whether a stop, by index into <see cref="Stops"/>, has a head of its own.</summary>
    public bool HasHead(int stop) => Logits[stop].Length == Count;

    /// <summary>The logit of a text at a stop, by index; 0 where it has no head.</summary>
    public float LogitAt(int stop, int text) => Logits[stop].Length == 0 ? 0 : Logits[stop][text];

    /// <summary>The best texts by the head of a stop, by index into <see cref="Stops"/>.</summary>
    public int[] Best(int stop, int count) => [.. Enumerable.Range(0, Count).OrderByDescending(text => Logits[stop][text]).Take(count)];

    /// <summary>The same without states, and without stops that have no head.</summary>
    public RerankTable OfHeads()
    {
        int[] heads = [.. Enumerable.Range(0, Stops.Count).Where(HasHead)];
        return this with { Stops = [.. heads.Select(stop => Stops[stop])], Logits = [.. heads.Select(stop => Logits[stop])], States = [] };
    }

    /// <summary>What a probe guesses of each text's last logit at a stop, by index.</summary>
    public float[] Guess(int stop, RerankProbe probe)
    {
        float[] guess = new float[Count];
        for (int text = 0; text < guess.Length; text++)
        {
            guess[text] = probe.Of(probe.State.Length == 0 ? [] : States[stop][text], LogitAt(stop, text), text);
        }

        return guess;
    }

    /// <summary>Runs a table through a plan, given the guesses of a stop by index: who reaches the last exit, and the layer-tokens spent.</summary>
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

        return (alive, cost + (alive.Sum(text => (double)Tokens[text]) * (Stops[^1] - from)));
    }

    /// <summary>Runs a table through a deadline of some layer-tokens, given the guesses of the early exit, and gives the resulting order.</summary>
    public int[] SimulateDeadline(double budget, int earlyExit, float share, float[] guess)
    {
        int early = IndexOf(earlyExit), last = Stops.Count - 1, next = 0, finished = 0;
        RerankScore[] scores = new RerankScore[Count];
        List<int> waiting = [];
        double spent = 0;
        while (waiting.Count > 0 || next < Count)
        {
            bool carryOn = waiting.Count > 0 && (next == Count || finished < share * next);
            int text = carryOn ? waiting.MaxBy(candidate => guess[candidate]) : next++;
            int exit = carryOn ? last : early;
            spent += (double)Tokens[text] * (Stops[exit] - (carryOn ? earlyExit : 0));
            if (spent > budget)
            {
                break;
            }

            scores[text] = new RerankScore(exit == last ? Logits[exit][text] : guess[text], Stops[exit]);
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
        RerankScore[] scores = [.. Logits[exit].Select(logit => new RerankScore(logit, Stops[exit]))];
        return RerankBlend.Sort(scores, weight == 1 ? Logits[exit] : RerankBlend.Blend(First, scores, weight));
    }

    private int IndexOf(int exit)
    {
        int index = 0;
        while (Stops[index] != exit)
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
