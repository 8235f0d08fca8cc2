using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankCalibrationTests
{
    private static readonly string[] Words = ["weather", "email", "music", "flight", "hotel", "reminder", "translate", "news", "stock", "recipe"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fit_SavedAndLoaded_SameInEveryPart()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        using MmBertReranker reranker = new(model);
        RerankCalibration fitted = await RerankCalibration.FitAsync(reranker, Samples(), loss: 0.1, top: 2, cancellationToken: Stop);
        using TemporaryFolder folder = new();
        fitted.Save(folder.File("rerank.json"));
        RerankCalibration loaded = RerankCalibration.Load(folder.File("rerank.json"));

        Dictionary<int, RerankProbe> none = [];
        Assert.Equal(fitted with { Steps = [], Probes = none }, loaded with { Steps = [], Probes = none });
        Assert.Equal(fitted.Steps.Select(step => (step.Exit, step.AtLeast, step.Margin)), loaded.Steps.Select(step => (step.Exit, step.AtLeast, step.Margin)));
        Assert.Equal([1, 2, 3, 4, 5], loaded.Probes.Keys);
        Assert.All(fitted.Probes, pair => Assert.Equal(pair.Value with { State = [] }, loaded.Probes[pair.Key] with { State = [] }));
        Assert.All(fitted.Probes, pair => Assert.Equal(pair.Value.State, loaded.Probes[pair.Key].State));
        Assert.Equal(("mini-rerank", 10, 2, 256), (loaded.Model, loaded.Queries, loaded.Top, loaded.Dimension));
        Assert.True(fitted.SameTop >= 0.9 && fitted.Cost <= 1, $"{fitted.SameTop} for {fitted.Cost}");

        string[] texts = [.. Samples()[0].Texts];
        RerankScore[] scores = await reranker.ScoreAsync(Samples()[0].Query, texts, new RerankOptions { Effort = RerankEffort.Progressive, Calibration = loaded }, Stop);
        Assert.Contains(scores, score => score.Exit == 6);
        Assert.Contains("dimension 256", (await Assert.ThrowsAsync<ArgumentException>(() => reranker.ScoreAsync("q", ["a"], new RerankOptions { Calibration = loaded, Dimension = 64 }, Stop))).Message);
    }

    [Fact]
    public async Task Score_StepsOfAnotherShape_Refused()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        using MmBertReranker reranker = new(model);
        RerankCalibration good = RerankCalibration.Empty(reranker) with { EarlyExit = 1 };
        RerankCalibration[] bad =
        [
            good with { Steps = [new RerankStep(5, 1, 0, 1)] }, good with { Steps = [new RerankStep(7, 1, 0, 1)] }, good with { Steps = [new RerankStep(6, 1, 0, 1)] }, good with { Steps = [new RerankStep(3, 1, 0, 1), new RerankStep(1, 1, 0, 1)] },
            good with { Probes = new Dictionary<int, RerankProbe> { [1] = new([1, 2], 1, 0, 0) } }, good with { EarlyExit = 5 },
        ];
        await reranker.ScoreAsync("q", ["a"], new RerankOptions { Calibration = good }, Stop);
        foreach (RerankCalibration calibration in bad)
        {
            Assert.Contains("calibrate again", (await Assert.ThrowsAsync<ArgumentException>(() => reranker.ScoreAsync("q", ["a"], new RerankOptions { Calibration = calibration }, Stop))).Message);
        }
    }

    [Fact]
    public void Score_ProgressiveByAPlan_TheTableForetellsWhoCarriesOnAndWhatItCosts()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        using MmBertReranker reranker = new(model);
        RerankSample[] samples = Samples();
        List<RerankTable> tables = [.. samples.Select(sample =>
        {
            RerankSurvey survey = reranker.Survey(sample.Query, sample.Texts, reranker.Options, Stop);
            return new RerankTable(reranker.Stops, survey.Logits, survey.Tokens, new float[survey.Tokens.Length], sample) { States = survey.States };
        })];
        RerankProbe[] probes = RerankProbeFit.Fit(tables).Probes;
        RerankStep[] steps = [new(1, 2, 1f, 1), new(3, 2, 0.5f, 1), new(4, 2, 0.1f, 1)];   // layer 4 has no head
        RerankCalibration calibration = RerankCalibration.Empty(reranker) with { EarlyExit = 1, Steps = steps, Probes = Enumerable.Range(0, 5).ToDictionary(stop => stop + 1, stop => probes[stop]) };
        for (int i = 0; i < samples.Length; i++)
        {
            (int[] reached, double cost) = tables[i].Simulate(steps, exit => tables[i].Guess(exit, probes[exit]));
            RerankScore[] scores = reranker.Score(samples[i].Query, samples[i].Texts, new RerankOptions { Effort = RerankEffort.Progressive, Calibration = calibration }, out long spent, Stop);
            Assert.Equal(reached, Enumerable.Range(0, scores.Length).Where(text => scores[text].Exit == 6));
            Assert.Equal(cost, spent);
        }
    }

    [Fact]
    public async Task Score_CalibrationOfAnotherModel_RefusedNamingBoth()
    {
        using MmBertModel mini = MmBertModel.Open(Paths.MiniRerank, Goldens.Options), tiny = MmBertModel.Open(Path.Combine(Paths.Goldens, "tiny-reranker", "model"), Goldens.Options);
        using MmBertReranker first = new(mini), second = new(tiny);
        RerankCalibration fitted = await RerankCalibration.FitAsync(first, Samples()[..2], cancellationToken: Stop);
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => second.ScoreAsync("q", ["a"], new RerankOptions { Calibration = fitted }, Stop));
        Assert.Contains("'mini-rerank'", error.Message);
        Assert.Contains("'model'", error.Message);
    }

    [Fact]
    public void Load_BrokenFile_NamesIt()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("x.json"), """{"format":"something else"}""");
        Assert.Contains("x.json", Assert.Throws<InvalidDataException>(() => RerankCalibration.Load(folder.File("x.json"))).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public void FitPlan_RandomTables_KeepsTheStatedShare(double loss)
    {
        List<RerankTable> tables = Tables(noise: 0.5);
        float[][][] guesses = RerankProbeFit.Fit(tables).Guesses;
        (IReadOnlyList<RerankStep> steps, double same, double cost) = RerankPlanFit.Fit(tables, guesses, loss, 5);
        Assert.True((tables.Count * (1 - same)) + 1 <= (loss * (tables.Count + 1)) + 1e-6 || (same == 1 && steps.Count == 0), $"{same}");
        Assert.Equal((same, cost), steps.Count == 0 ? (1, 1) : (RerankPlanFit.Run(tables, steps, guesses, 5).Same / (double)tables.Count, RerankPlanFit.Run(tables, steps, guesses, 5).Cost));
        Assert.True(loss == 0 || cost < 0.9, $"{cost}");
    }

    [Theory]
    [InlineData(48, true)]
    [InlineData(49, false)]
    public void FitPlan_TooFewQueriesForTheLoss_PromisesNothing(int queries, bool full)
    {
        List<RerankTable> tables = Tables(noise: 0.01)[..queries];
        Assert.Equal(full, RerankPlanFit.Fit(tables, RerankProbeFit.Fit(tables).Guesses, 0.02, 5).Steps.Count == 0);
    }

    [Fact]
    public void FitPlan_EarlyExitsThatKnowNothing_CarryAlmostEverythingOn()
    {
        List<RerankTable> tables = Tables(noise: 1000);
        (IReadOnlyList<RerankStep> _, double same, double cost) = RerankPlanFit.Fit(tables, RerankProbeFit.Fit(tables).Guesses, 0.01, 5);
        Assert.Equal(1, same);
        Assert.True(cost > 0.9, $"{cost}");
    }

    [Fact]
    public void Fit_RerankerWorseThanTheFirstStage_IsOff()
    {
        // The first stage knows the gains, the logits are noise.
        RerankCalibration fitted = RerankCalibrationFit.Fit(new RerankCalibration("m", "k"), Tables(noise: 1, firstKnows: true), 0.1, 5);
        Assert.Equal(0f, fitted.Blend);
        Assert.Equal(fitted.Ndcg!.Value.First, fitted.Ndcg.Value.Blend);
        Assert.StartsWith("Off", fitted.Recommendation);
    }

    [Fact]
    public void Fit_OneLabelledQuery_ProvesNothingSoReranksNothing() =>
        Assert.Equal(0f, RerankCalibrationFit.Fit(new RerankCalibration("m", "k"), [Tables(noise: 0.1).First(table => table.Ndcg(table.Best(2, 40)) > table.Ndcg([.. Enumerable.Range(0, 40)]))], 0.1, 5).Blend);

    [Fact]
    public void Fit_RerankerThatKnows_IsOnAndNeverBelowTheFirstStage()
    {
        RerankCalibration fitted = RerankCalibrationFit.Fit(new RerankCalibration("m", "k"), Tables(noise: 1, firstKnows: false), 0.1, 5);
        Assert.True(fitted.Blend > 0);
        Assert.True(fitted.Ndcg!.Value.Blend > fitted.Ndcg.Value.First);
        Assert.StartsWith("On", fitted.Recommendation);
    }

    [Fact]
    public void SimulateDeadline_MoreBudget_NeverLessScored()
    {
        foreach (RerankTable table in Tables(noise: 0.5))
        {
            Assert.Equal(Enumerable.Range(0, table.Count), table.SimulateDeadline(0, 2, 0.4f, table.Logits[0]));
            Assert.Equal(table.Best(2, table.Count), table.SimulateDeadline(table.FullCost * 2, 2, 0.4f, table.Logits[0]));
        }
    }

    [Fact]
    public void SimulateDeadline_StraightToTheLastExit_MoreBudgetNeverAgreesLess()
    {
        foreach (RerankTable table in Tables(noise: 0.5))
        {
            double before = 0;
            foreach (double budget in (double[])[0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1])
            {
                double overlap = RerankCalibrationFit.Overlap(table, table.SimulateDeadline(budget * table.FullCost, 8, 0.4f, table.Logits[2]), 5);
                Assert.True(overlap >= before, $"{overlap} at {budget}, {before} before");
                before = overlap;
            }

            Assert.Equal(1, before);
        }
    }

    [Fact]
    public void Survivors_Margin_AllWithinItOfTheLastThatMustStay()
    {
        float[] logits = [5, 1, 3, 2.5f, 2.4f, -1];
        Assert.Equal([0, 2, 3], new RerankStep(1, 2, 0.5f, 1).Survivors(logits, [0, 1, 2, 3, 4, 5], 0));
        Assert.Equal([0, 2], new RerankStep(1, 2, 0f, 1).Survivors(logits, [0, 1, 2, 3, 4, 5], 0));
        Assert.Equal([0, 2, 3, 4], new RerankStep(1, 2, 0f, 1).Survivors(logits, [0, 1, 2, 3, 4, 5], 4));
        Assert.Equal([1, 5], new RerankStep(1, 9, 0f, 1).Survivors(logits, [1, 5], 0));
        Assert.Equal([0, 2, 3], new RerankStep(1, 1, null, 0.5f).Survivors(logits, [0, 1, 2, 3, 4, 5], 0));
        Assert.Empty(new RerankStep(1, 9, 0f, 1).Survivors(logits, [], 0));
    }

    private static RerankSample[] Samples() => [.. Words.Select((word, i) => new RerankSample($"I need {word}", [.. Words.Select(other => $"{other}: a tool for {other}")])
    {
        Gains = [.. Words.Select((_, j) => i == j ? 1f : 0f)],
    })];

    private static List<RerankTable> Tables(double noise, bool firstKnows = false)
    {
        Random random = new(3);
        return [.. Enumerable.Range(0, 120).Select(_ =>
        {
            float[] truth = [.. Enumerable.Range(0, 40).Select(_ => (float)Normal())], other = [.. truth.Select(_ => (float)Normal()).OrderDescending()];
            float[][] logits = [Noisy(2 * noise), Noisy(noise), truth];
            float[] relevance = firstKnows ? other : truth;
            return new RerankTable([2, 4, 8], logits, [.. truth.Select(_ => random.Next(20, 60))], other, new RerankSample("", new string[40]) { Gains = [.. relevance.Select(value => value > 1.5f ? 1f : 0f)] });

            float[] Noisy(double scale) => [.. truth.Select(value => value + (float)(scale * Normal()))];
        })];

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}
