using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankProbeTests
{
    [Fact]
    public void Fit_LogitsMadeFromStateLogitAndPlace_FindsThem()
    {
        float[] state = [2, -1, 0.5f, 0];
        List<RerankTable> tables = Tables(60, state, logit: 0.7f, place: 0.3f, noise: 0);
        (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(tables);

        Assert.All(probes[0].State.Zip(state), pair => Assert.Equal(pair.Second, pair.First, 0.05));
        Assert.Equal(0.7, probes[0].Logit, 0.05);
        Assert.Equal(0.3, probes[0].Place, 0.05);
        Assert.Equal(1, RerankEvaluation.GuessAgreement(tables, guesses[0]), 0.1);
    }

    [Fact]
    public void Fit_Level_GuessesAreAsHighAsTheLastLogitsOnAverage()
    {
        List<RerankTable> tables = Tables(40, [2, -1, 0.5f, 0], logit: 0.7f, place: 0.3f, noise: 0);
        RerankProbe probe = RerankProbeFit.Fit(tables).Probes[0];
        Assert.Equal(tables.Average(table => table.Logits[^1].Average()), tables.Average(table => table.Guess(0, probe).Average()), 0.2);   // queries lie up to 39 apart
    }

    [Fact]
    public void Fit_LayerWithoutHead_ByStateAndPlaceAlone()
    {
        List<RerankTable> tables = [.. Tables(60, [2, -1, 0.5f, 0], logit: 0, place: 0.3f, noise: 0).Select(table => table with { Logits = [[], table.Logits[^1]] })];
        (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(tables);
        Assert.Equal(0, probes[0].Logit);
        Assert.Equal(0.3, probes[0].Place, 0.05);
        Assert.Equal(1, RerankEvaluation.GuessAgreement(tables, guesses[0]), 0.1);
        Assert.Equal(RerankProbe.FirstStage, RerankProbeFit.Fit(tables[..1]).Probes[0]);
    }

    [Fact]
    public void Fit_StateThatKnowsNothing_IsHardlyTrusted()
    {
        List<RerankTable> tables = Tables(60, [0, 0, 0, 0], logit: 1, place: 0, noise: 0.5);
        RerankProbe probe = RerankProbeFit.Fit(tables).Probes[0];
        Assert.All(probe.State, weight => Assert.InRange(weight, -0.1f, 0.1f));
        Assert.Equal(1, probe.Logit, 0.1);
    }

    [Fact]
    public void Fit_Guesses_DoNotKnowTheirOwnQuery()
    {
        // Each query's last logits point their own way, so nothing can be learned; a probe that had seen a query would still guess it.
        Random random = new(4);
        List<RerankTable> tables = [.. Enumerable.Range(0, 10).Select(_ => Table(random, 6, 40, state => [.. state.Select(_ => random.NextSingle())]))];
        (_, float[][][] guesses) = RerankProbeFit.Fit(tables);
        double known = tables.Zip(guesses[0], (table, guess) => Correlation(guess, table.Logits[^1])).Average();
        Assert.InRange(known, -0.4, 0.4);
    }

    [Fact]
    public void Fit_OneQuery_TakesTheLogitsAsTheyAre()
    {
        List<RerankTable> tables = Tables(1, [1, 1, 1, 1], 1, 0, 0);
        (RerankProbe[] probes, float[][][] guesses) = RerankProbeFit.Fit(tables);
        Assert.Equal(RerankProbe.OwnLogit, probes[0]);
        Assert.Equal(tables[0].Logits[0], guesses[0][0]);
    }

    [Fact]
    public void ProgressiveCurve_StateThatKnows_KeepsTheStatedShareForLess()
    {
        List<RerankTable> tables = Tables(200, [2, -1, 0.5f, 0], logit: 0, place: 0, noise: 0.1);
        IReadOnlyList<(double Loss, double Cost, double SameTop5, double SameTop1)> curve = RerankEvaluation.ProgressiveCurve(tables, [0.02, 0.1, 0.3]);
        Assert.All(curve, point => Assert.True(point.SameTop5 >= 1 - point.Loss - 0.03, $"{point}"));   // within three deviations of 200 queries
        Assert.True(curve[0].Cost < 0.7, $"{curve[0]}");
        Assert.True(curve[2].Cost <= curve[0].Cost, $"{curve[0]} {curve[2]}");
    }

    private static List<RerankTable> Tables(int queries, float[] state, float logit, float place, double noise)
    {
        Random random = new(9);
        return [.. Enumerable.Range(0, queries).Select(query =>
        {
            RerankProbe truth = new(state, logit, place, 0);
            RerankTable table = Table(random, state.Length, 40, _ => new float[40]);
            for (int text = 0; text < table.Count; text++)
            {
                // A constant of the query must not matter.
                table.Logits[^1][text] = query + truth.Of(table.States[0][text], table.Logits[0][text], text) + (float)(noise * ((random.NextDouble() * 2) - 1));
            }

            return table;
        })];
    }

    private static RerankTable Table(Random random, int width, int count, Func<float[][], float[]> last)
    {
        float[][] states = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => (random.NextSingle() * 2) - 1).ToArray())];
        float[] early = [.. states.Select(_ => (random.NextSingle() * 2) - 1)];
        return new RerankTable([1, 4], [early, last(states)], [.. early.Select(_ => 10)], new float[count], new RerankSample("", new string[count])) { States = [states, states] };
    }

    private static double Correlation(float[] a, float[] b)
    {
        double x = a.Average(), y = b.Average();
        return a.Zip(b, (u, v) => (u - x) * (v - y)).Sum() / Math.Sqrt((a.Sum(u => (u - x) * (u - x)) * b.Sum(v => (v - y) * (v - y))) + 1e-12);
    }
}
