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

        Assert.Equal(fitted with { Steps = [] }, loaded with { Steps = [] });
        Assert.Equal(fitted.Steps.Select(step => (step.Exit, step.AtLeast, step.Margin)), loaded.Steps.Select(step => (step.Exit, step.AtLeast, step.Margin)));
        Assert.Equal(fitted.Steps.SelectMany(step => step.Weights), loaded.Steps.SelectMany(step => step.Weights));
        Assert.Equal(("mini-rerank", 10, 2), (loaded.Model, loaded.Queries, loaded.Top));
        Assert.True(fitted.SameTop >= 0.9 && fitted.Cost <= 1, $"{fitted.SameTop} for {fitted.Cost}");

        string[] texts = [.. Samples()[0].Texts];
        RerankScore[] scores = await reranker.ScoreAsync(Samples()[0].Query, texts, new RerankOptions { Effort = RerankEffort.Progressive, Calibration = loaded }, Stop);
        Assert.Contains(scores, score => score.Exit == 6);
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
    public void FitSteps_RandomTables_KeepTheStatedShare(double loss)
    {
        List<RerankTable> tables = Tables(noise: 0.5);
        (IReadOnlyList<RerankStep> steps, double same, double cost) = RerankCalibrationFit.FitSteps(tables, loss, 5);
        Assert.True(same >= 1 - loss, $"{same}");
        Assert.Equal((same, cost), RerankCalibrationFit.Evaluate(tables, steps, 5));
        Assert.True(loss == 0 || cost < 0.9, $"{cost}");
    }

    [Fact]
    public void Fit_Guess_FindsTheWeightsThatMadeTheLogits()
    {
        Random random = new(5);
        RerankTable[] tables = [.. Enumerable.Range(0, 50).Select(query =>
        {
            float[] a = [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle())], b = [.. a.Select(_ => random.NextSingle())];

            // A constant of the query must not matter.
            float[] last = [.. a.Select((value, i) => query + (2 * value) - (3 * b[i]) + (0.5f * RerankStep.Place(i)))];
            return new RerankTable([1, 2, 3], [a, b, last], new int[30], new float[30], new RerankSample("", new string[30]));
        })];
        float[] weights = RerankGuess.Fit(tables, [0, 1]);
        Assert.All(weights.Zip([2f, -3f, 0.5f]), pair => Assert.Equal(pair.Second, pair.First, 0.02));
    }

    [Fact]
    public void FitSteps_EarlyExitsThatKnowNothing_CarryEverythingOn()
    {
        (IReadOnlyList<RerankStep> _, double same, double cost) = RerankCalibrationFit.FitSteps(Tables(noise: 1000), 0, 5);
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
            Assert.Equal(Enumerable.Range(0, table.Count), table.SimulateDeadline(0, 2, 0.4f));
            Assert.Equal(table.Best(2, table.Count), table.SimulateDeadline(table.FullCost * 2, 2, 0.4f));
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
