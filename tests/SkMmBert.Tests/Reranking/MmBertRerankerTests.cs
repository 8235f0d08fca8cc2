using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests;

public sealed class MmBertRerankerTests : IDisposable
{
    private const string Query = "What is the weather in Paris?";

    private static readonly string[] Tools =
    [
        "send_email: Send an email message to one or more recipients", "get_weather: Get the current weather for a city", "play_music: Play a song or a playlist",
        "createReminder: Remind the user of something at a later time", "get_forecast: Forecast of rain and temperature for the next days", "translate: Translate a text into another language",
        "search_flights: Find flights between two cities", "book_hotel: Book a room in a hotel",
    ];

    private readonly MmBertModel _model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
    private readonly MmBertReranker _reranker;

    public MmBertRerankerTests() => _reranker = new MmBertReranker(_model);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _reranker.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void New_ModelWithoutHeads_RefusedByName()
    {
        using MmBertModel embed = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options);
        Assert.Contains("'mini-embed'", Assert.Throws<ArgumentException>(() => new MmBertReranker(embed)).Message);
    }

    [Fact]
    public async Task Rerank_Tools_TheRightOneFirst()
    {
        IReadOnlyList<RankedItem<string>> ranked = await _reranker.RerankAsync(Query, Tools, cancellationToken: Stop);
        Assert.StartsWith("get_weather", ranked[0].Item);
        Assert.All(ranked, item => Assert.InRange(item.Score, 0, 1));
        Assert.Equal(Tools.Length, ranked.Count);
    }

    [Fact]
    public async Task Score_EmptyQueryEmptyTextAndNone_AreValid()
    {
        Assert.Empty(await _reranker.ScoreAsync(Query, [], Stop));
        float[] scores = await _reranker.ScoreAsync("", ["", "a"], Stop);
        Assert.All(scores, score => Assert.True(float.IsFinite(score)));
    }

    [Fact]
    public async Task Score_RawAndNot_TheSigmoidOfIt()
    {
        RerankScore[] raw = await _reranker.ScoreAsync(Query, Tools, new RerankOptions { RawScores = true }, Stop);
        float[] scores = await _reranker.ScoreAsync(Query, Tools, Stop);
        Assert.Contains(raw, score => score.Score > 1);
        Assert.All(raw.Zip(scores), pair => Assert.Equal(1 / (1 + Math.Exp(-pair.First.Score)), pair.Second, 1e-6));
    }

    [Fact]
    public async Task Score_OneByOneAndTogether_TheSame()
    {
        string[] texts = [.. Tools, string.Join(' ', Tools), "x", string.Join(' ', Enumerable.Repeat(Tools[1], 12))];
        RerankScore[] together = await _reranker.ScoreAsync(Query, texts, new RerankOptions { RawScores = true }, Stop);
        for (int i = 0; i < texts.Length; i++)
        {
            RerankScore alone = (await _reranker.ScoreAsync(Query, [texts[i]], new RerankOptions { RawScores = true }, Stop))[0];
            Assert.Equal(alone.Score, together[i].Score, 5e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public async Task Score_AtAnExit_TheHeadOfThatExit(int exit)
    {
        IReadOnlyDictionary<string, float[]> heads = await _reranker.ScoreEveryHeadAsync(Query, Tools, cancellationToken: Stop);
        foreach (int dimension in _reranker.Dimensions)
        {
            RerankScore[] scores = await _reranker.ScoreAsync(Query, Tools, new RerankOptions { Effort = RerankEffort.Exit(exit), Dimension = dimension, RawScores = true }, Stop);
            Assert.All(scores.Zip(heads[$"{exit}.{dimension}"]), pair => Assert.Equal(pair.Second, pair.First.Score, 5e-5));
            Assert.All(scores, score => Assert.Equal(exit, score.Exit));
        }
    }

    [Fact]
    public async Task Score_HeadThatIsNotThere_RefusedWithTheList()
    {
        Assert.Contains("1, 2, 3, 6", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _reranker.ScoreAsync(Query, Tools, new RerankOptions { Effort = RerankEffort.Exit(4) }, Stop))).Message);
        Assert.Contains("256, 128, 64", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _reranker.ScoreAsync(Query, Tools, new RerankOptions { Dimension = 100 }, Stop))).Message);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _reranker.ScoreAsync(Query, Tools, new RerankOptions { MaxTokens = 3 }, Stop));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _reranker.ScoreAsync(Query, Tools, new RerankOptions { MaxTokens = 8193 }, Stop));
    }

    [Fact]
    public async Task Score_TextTooLong_CutWhereTheResultSays()
    {
        string text = string.Join(' ', Tools);
        RerankOptions options = new() { MaxTokens = 40, RawScores = true };
        RerankScore cut = (await _reranker.ScoreAsync(Query, [text], options, Stop))[0];
        int end = Assert.NotNull(cut.CutAt);
        Assert.InRange(end, 20, text.Length - 20);
        RerankScore read = (await _reranker.ScoreAsync(Query, [text[..end]], options, Stop))[0];
        Assert.Null(read.CutAt);
        Assert.Equal(read.Score, cut.Score, 1e-5);
        Assert.Null((await _reranker.ScoreAsync(Query, [text], options with { MaxTokens = 400 }, Stop))[0].CutAt);
    }

    [Fact]
    public async Task Score_TextTooLong_RefusedOnRequestNamingIt()
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() =>
            _reranker.ScoreAsync(Query, ["short", string.Join(' ', Tools)], new RerankOptions { MaxTokens = 40, LongTexts = LongTextHandling.Error }, Stop));
        Assert.Contains("Text 1", error.Message);
    }

    [Fact]
    public async Task Score_AnswerAtTheEndOfALongText_FoundInSlices()
    {
        string filler = string.Join(' ', Enumerable.Repeat("The hotel has a large garden and a swimming pool.", 60)), answer = Tools[1];
        RerankOptions options = new() { MaxTokens = 64, RawScores = true };
        RerankScore[] cut = await _reranker.ScoreAsync(Query, [$"{filler} {answer}", filler], options, Stop);
        RerankScore[] sliced = await _reranker.ScoreAsync(Query, [$"{filler} {answer}", filler], options with { LongTexts = LongTextHandling.Chunk }, Stop);
        Assert.Equal(cut[1].Score, cut[0].Score, 1e-4);
        Assert.True(sliced[0].Score > sliced[1].Score + 1, $"{sliced[0].Score} against {sliced[1].Score}");
        Assert.Null(sliced[0].CutAt);
    }

    [Fact]
    public async Task Score_ProgressiveWithSlices_BestSliceCountsAndCarriesOn()
    {
        string filler = string.Join(' ', Enumerable.Repeat("The hotel has a large garden.", 60));
        string[] texts = [filler, $"{filler} {Tools[1]}", Tools[0], Tools[2], Tools[3], Tools[5], Tools[6], Tools[7], filler + Tools[0], filler + Tools[2], filler + Tools[3], filler + Tools[7]];
        RerankOptions options = new() { MaxTokens = 64, RawScores = true, LongTexts = LongTextHandling.Chunk };
        RerankScore[] full = await _reranker.ScoreAsync(Query, texts, options, Stop), progressive = await _reranker.ScoreAsync(Query, texts, options with { Effort = RerankEffort.Progressive }, Stop);
        Assert.Equal(6, progressive[1].Exit);
        Assert.All(full.Zip(progressive).Where(pair => pair.Second.Exit == 6), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 5e-5));
        Assert.Contains(progressive, score => score.Exit < 6);
    }

    [Fact]
    public void Score_Progressive_NothingIsComputedTwice()
    {
        string[] texts = [.. Enumerable.Range(0, 60).Select(i => $"{Tools[i % Tools.Length]} number {i}")];
        int[] tokens = [.. texts.Select(text => _model.Tokenizer.EncodePair(Query, text).Ids.Length)];
        RerankScore[] full = _reranker.Score(Query, texts, new RerankOptions { RawScores = true }, out long fullCost, Stop);
        RerankScore[] progressive = _reranker.Score(Query, texts, new RerankOptions { RawScores = true, Effort = RerankEffort.Progressive }, out long cost, Stop);

        Assert.Equal(6L * tokens.Sum(), fullCost);
        Assert.Equal(tokens.Zip(progressive).Sum(pair => (long)pair.First * pair.Second.Exit), cost);
        Assert.True(cost < 0.7 * fullCost, $"{cost} of {fullCost}");
        Assert.All(full.Zip(progressive).Where(pair => pair.Second.Exit == 6), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 5e-5));
        Assert.True(progressive.Count(score => score.Exit == 6) >= 5);
        int best = Array.FindIndex(full, score => score.Score == full.Max(other => other.Score));
        Assert.Equal(6, progressive[best].Exit);
    }

    [Fact]
    public async Task Rerank_DeadlineZero_FirstStageOrder()
    {
        RerankOptions options = new() { Effort = RerankEffort.Deadline(TimeSpan.Zero) };
        Evidence[] candidates = [.. Tools.Select((text, i) => new Evidence { Id = $"{i}", Text = text, Score = 1f / (i + 1) })];
        IReadOnlyList<Evidence> ranked = await _reranker.RerankAsync(Query, candidates, options, Stop);
        Assert.Equal(candidates.Select(evidence => evidence.Id), ranked.Select(evidence => evidence.Id));
        Assert.Equal(candidates.Select(evidence => evidence.Score), ranked.Select(evidence => evidence.Score));
        Assert.Equal("rerank skipped: out of time", ranked[0].Trail[^1].Stage);
    }

    [Fact]
    public async Task Rerank_DeadlineWithTimeForAll_OrderOfFull()
    {
        IReadOnlyList<RankedItem<string>> full = await _reranker.RerankAsync(Query, Tools, cancellationToken: Stop);
        IReadOnlyList<RankedItem<string>> ranked = await _reranker.RerankAsync(Query, Tools, new RerankOptions { Effort = RerankEffort.Deadline(TimeSpan.FromMinutes(1)) }, Stop);
        Assert.Equal(full.Select(item => item.Index), ranked.Select(item => item.Index));
    }

    [Fact]
    public async Task Rerank_DeadlineTooShortForAll_InTimeAndTheRestInTheOrderGiven()
    {
        string[] texts = [.. Enumerable.Range(0, 4_000).Select(i => string.Join(' ', Enumerable.Repeat(Tools[i % Tools.Length], 6)))];
        await _reranker.ScoreAsync(Query, Tools, Stop);
        Stopwatch watch = Stopwatch.StartNew();
        IReadOnlyList<RankedItem<string>> ranked = await _reranker.RerankAsync(Query, texts, new RerankOptions { Effort = RerankEffort.Deadline(TimeSpan.FromMilliseconds(300)) }, Stop);

        // Generous for a busy machine; the benchmark holds it to the budget + 10 % + 5 ms.
        Assert.True(watch.ElapsedMilliseconds < 2_000, $"{watch.ElapsedMilliseconds} ms");
        RankedItem<string>[] rest = [.. ranked.SkipWhile(item => item.Rerank.IsScored)];
        Assert.NotEmpty(rest);
        Assert.True(rest.Length < texts.Length);
        Assert.All(rest, item => Assert.False(item.Rerank.IsScored));
        Assert.Equal(rest.Select(item => item.Index).Order(), rest.Select(item => item.Index));
        Assert.Equal(Enumerable.Range(0, texts.Length), ranked.Select(item => item.Index).Order());
    }

    [Fact]
    public async Task Score_CancelledInTheMiddle_Stops()
    {
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => string.Join(' ', Enumerable.Repeat(Tools[i % Tools.Length], 12)))];
        foreach (RerankEffort effort in (RerankEffort[])[RerankEffort.Full, RerankEffort.Progressive, RerankEffort.Deadline(TimeSpan.FromMinutes(2))])
        {
            using CancellationTokenSource source = new(TimeSpan.FromMilliseconds(150));
            Stopwatch watch = Stopwatch.StartNew();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _reranker.ScoreAsync(Query, texts, new RerankOptions { Effort = effort }, source.Token));
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{effort}: {watch.Elapsed}");
        }
    }

    [Fact]
    public async Task Score_ManyThreadsAtOnce_SameScores()
    {
        float[] expected = await _reranker.ScoreAsync(Query, Tools, Stop);
        float[][] scores = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _reranker.ScoreAsync(Query, Tools, Stop)));
        Assert.All(scores, one => Assert.All(one.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-5)));
    }

    [Fact]
    public async Task Score_NullText_NamedByIndex() =>
        Assert.Contains("Text 1", (await Assert.ThrowsAsync<ArgumentException>(() => _reranker.ScoreAsync(Query, ["a", null!], Stop))).Message);
}
