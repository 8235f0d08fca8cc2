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
}
