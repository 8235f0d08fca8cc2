using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankSurveyTests : IDisposable
{
    private const string Query = "What is the weather in Paris?";

    private static readonly string[] Texts = ["get_weather: Get the current weather for a city", "send_email: Send an email message to one or more recipients", ""];

    private readonly MmBertModel _model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
    private readonly MmBertReranker _reranker;

    public RerankSurveyTests() => _reranker = new MmBertReranker(_model);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _reranker.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(new[] { 1, 2, 3, 6 }, 6, new[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData(new[] { 3, 6, 11, 16, 22 }, 22, new[] { 3, 6, 8, 11, 13, 16, 19, 22 })]
    [InlineData(new[] { 24 }, 24, new[] { 24 })]
    [InlineData(new[] { 12, 24 }, 24, new[] { 12, 15, 18, 21, 24 })]
    public void Of_ExitsFarApart_HaveStopsBetween(int[] exits, int layers, int[] stops) => Assert.Equal(stops, RerankStops.Of(exits, layers));

    [Fact]
    public async Task Survey_Heads_TheLogitsThatTheirExitsGive()
    {
        RerankSurvey survey = _reranker.Survey(Query, Texts, _reranker.Options, Stop);
        Assert.Equal([1, 2, 3, 4, 5, 6], _reranker.Stops);
        for (int stop = 0; stop < _reranker.Stops.Count; stop++)
        {
            int layer = _reranker.Stops[stop];
            RerankScore[] scores = _reranker.Exits.Contains(layer) ? await _reranker.ScoreAsync(Query, Texts, new RerankOptions { Effort = RerankEffort.Exit(layer), RawScores = true }, Stop) : [];
            Assert.Equal(scores.Length, survey.Logits[stop].Length);
            Assert.All(scores.Zip(survey.Logits[stop]), pair => Assert.Equal(pair.First.Score, pair.Second, 1e-3));
            Assert.Equal(survey.Logits[stop].Length, _reranker.ScoreStates(layer, 256, survey.States[stop]).Length);
        }

        Assert.Equal(Texts.Select(text => _model.Tokenizer.EncodePair(Query, text).Ids.Length), survey.Tokens);
    }

    [Fact]
    public void Survey_States_BothPoolingsOfTheLayer()
    {
        RerankSurvey survey = _reranker.Survey(Query, Texts, _reranker.Options, Stop);
        using LayerState state = _model.Run(TokenBatch.Of(_model.Tokenizer.EncodePair(Query, Texts[1]).Ids), 4, Stop);
        float[] first = new float[256], mean = new float[256];
        _model.Pool(state, finalNorm: true, ModelPooling.Cls, first);
        _model.Pool(state, finalNorm: true, ModelPooling.Mean, mean);
        Assert.Equal(512, survey.States[3][1].Length);
        Assert.All(survey.States[3][1].Zip([.. first, .. mean]), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
        Assert.Contains(first.Zip(mean), pair => Math.Abs(pair.First - pair.Second) > 0.1);
    }

    [Fact]
    public void Survey_Slices_StateOfTheOneThatIsBestInTheEnd()
    {
        string text = string.Join(' ', Enumerable.Repeat("Nothing to see here, only words without any meaning.", 12)) + " " + Texts[0];
        RerankOptions options = new() { MaxTokens = 48, LongTexts = LongTextHandling.Chunk };
        RerankSurvey survey = _reranker.Survey(Query, [text], options, Stop);
        float best = _reranker.ScoreStates(6, 256, survey.States[^1])[0];
        Assert.Equal(survey.Logits[^1][0], best, 1e-4);
        Assert.True(survey.Tokens[0] > 100);
    }

    [Fact]
    public async Task Score_ProbeAtALayerWithoutHead_IsTheScoreOfWhatStaysThere()
    {
        RerankTable[] tables = [.. ((string[])["weather", "email", "music", "rain"]).Select(query =>
        {
            RerankSurvey survey = _reranker.Survey(query, Texts, _reranker.Options, Stop);
            return new RerankTable(_reranker.Stops, survey.Logits, survey.Tokens, new float[Texts.Length], new RerankSample(query, Texts)) { States = survey.States };
        })];
        RerankProbe probe = RerankProbeFit.Fit(tables).Probes[3];
        RerankCalibration learned = RerankCalibration.Empty(_reranker) with { EarlyExit = 4, Steps = [new RerankStep(4, 1, 0, 1)], Probes = new Dictionary<int, RerankProbe> { [4] = probe } };
        RerankScore[] scores = await _reranker.ScoreAsync("weather", Texts, new RerankOptions { Effort = RerankEffort.Progressive, Calibration = learned, RawScores = true }, Stop);
        float[] guess = tables[0].Guess(3, probe);
        int[] early = [.. Enumerable.Range(0, Texts.Length).Where(text => scores[text].Exit == 4)];
        Assert.NotEmpty(early);
        Assert.All(early, text => Assert.Equal(guess[text], scores[text].Score, 1e-2));
        Assert.All(scores, score => Assert.Equal(score.Score, score.Order));
    }
}
