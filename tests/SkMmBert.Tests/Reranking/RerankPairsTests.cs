using Xunit;

namespace SkMmBert.Tests;

public sealed class RerankPairsTests
{
    private const string Query = "What is the weather in Paris?";

    [Theory]
    [InlineData(LongTextHandling.Cut)]
    [InlineData(LongTextHandling.Chunk)]
    public void EncodeAll_ManyTexts_QueryIsEncodedOnceAndIdsAreThoseOfThePair(LongTextHandling longTexts)
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        CountingTokenizer tokenizer = new(model.Tokenizer);
        string[] texts = [.. Enumerable.Range(0, 50).Select(i => $"Text number {i}: {string.Join(' ', Enumerable.Repeat("rain", i))}")];
        RerankUnit[] units = new RerankPairs(tokenizer, Query, texts, 40, longTexts).EncodeAll(TestContext.Current.CancellationToken);

        Assert.Equal(1, tokenizer.Encoded[Query]);
        Assert.Equal(Enumerable.Range(0, 50), units.Select(unit => unit.Text).Distinct());
        Assert.All(units.Where(unit => units.Count(other => other.Text == unit.Text) == 1), unit => Assert.Equal(model.Tokenizer.EncodePair(Query, texts[unit.Text], 40).Ids, unit.Ids));
        Assert.All(units, unit => Assert.InRange(unit.Ids.Length, 1, 40));
    }

    [Fact]
    public void LeastTokens_TextsOfAnyLength_ThoseOfTheTwoShortestPairsAndNeverMore()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniRerank, Goldens.Options);
        string endless = string.Join(' ', Enumerable.Repeat("rain", 100_000));
        Assert.Equal(Tokens("a b c") + Tokens("sun"), Least(256, endless, "a b c", "It will rain tomorrow.", "sun"));
        Assert.Equal(Tokens("sun"), Least(256, "sun"));
        Assert.Equal(0, Least(256));
        Assert.Equal(80, Least(40, endless, endless));
        Assert.InRange(Least(1_000_000, endless, endless), 100, 2_000);   // read only a little

        int Tokens(string text) => model.Tokenizer.EncodePair(Query, text).Ids.Length;
        int Least(int most, params string[] texts) => new RerankPairs(model.Tokenizer, Query, texts, most, LongTextHandling.Cut).LeastTokens;
    }
}
