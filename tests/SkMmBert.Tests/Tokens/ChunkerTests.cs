using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class ChunkerTests
{
    private const string Story = "Ada likes trains. She says planes are loud.\n\nLast year she went from Zürich to Kyoto by rail and ship. It took her 31 days! "
        + "彼女は京都で三日間過ごしました。そして帰りました。Would she do it again? \"Yes,\" she said. \"Tomorrow.\"";

    [Theory]
    [InlineData("")]
    [InlineData("  short  ")]
    public void Split_TextThatFits_ComesBackAsItIs(string text)
    {
        TextChunk chunk = Assert.Single(Chunker.Split(TokenFixtures.Mini, text, 8, source: "note"));

        Assert.Equal(new TextChunk(text, 0, text.Length, "note"), chunk);
    }

    [Fact]
    public void Split_LongText_CutsAtSentencesAndParagraphs()
    {
        string[] chunks = [.. Chunker.Split(TokenFixtures.Mini, Story, 24).Select(c => c.Text)];

        Assert.Equal("Ada likes trains. She says planes are loud.", chunks[0]);
        Assert.All(chunks, c => Assert.Contains(c[^1], ".!?。\""));
    }

    [Fact]
    public void Split_WithOverlap_RepeatsWholeSentencesOrWords()
    {
        List<TextChunk> chunks = Chunker.Split(TokenFixtures.Mini, Story, 30, overlapTokens: 12);

        Assert.Contains(chunks.Zip(chunks.Skip(1)), p => p.Second.Start < p.First.End);
        foreach ((TextChunk first, TextChunk second) in chunks.Zip(chunks.Skip(1)))
        {
            Assert.True(second.Start > first.Start && second.End > first.End);
            Assert.True(second.Start >= first.End || TokenFixtures.Mini.CountTokens(Story.AsSpan(second.Start, first.End - second.Start)) <= 12);
            Assert.True(second.Start >= first.End || Boundaries.Strength(Story, second.Start) >= Boundary.Word);
        }
    }

    [Fact]
    public void Split_AnyText_CoversItWithExactRangesThatFit()
    {
        int[] budgets = [1, 2, 5, 16];
        string[] texts = [.. TokenFixtures.Golden("tokenizer/tiny.jsonl.gz").Select(r => r.Text())];
        foreach (string text in texts)
        {
            foreach (int budget in budgets)
            {
                Check(TokenFixtures.Tiny, text, budget, overlap: budget / 3);
                Check(TokenFixtures.Tiny, text, budget, overlap: 0);
            }
        }
    }

    [Fact]
    public void Split_RandomText_CoversItWithExactRangesThatFit() =>
        Prop.ForAll<NonNull<string>, byte>((text, budget) =>
        {
            Check(TokenFixtures.Mini, text.Get, 1 + (budget % 9), overlap: 0);
            return true;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 4)]
    [InlineData(4, -1)]
    public void Split_ImpossibleLengths_AreRefused(int maxTokens, int overlap) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Chunker.Split(TokenFixtures.Mini, "text", maxTokens, overlap));

    private static void Check(TextTokenizer tokenizer, string text, int budget, int overlap)
    {
        List<TextChunk> chunks = Chunker.Split(tokenizer, text, budget, overlap);
        bool whole = chunks.Count == 1 && chunks[0].Text == text;
        int covered = 0;
        foreach (TextChunk chunk in chunks)
        {
            Assert.Equal(text[chunk.Start..chunk.End], chunk.Text);
            Assert.True(chunk.End > covered || whole, "a chunk brings nothing new");
            Assert.True(chunk.Start <= covered || string.IsNullOrWhiteSpace(text[covered..chunk.Start]), "something was left out");
            Assert.True(tokenizer.CountTokens(chunk.Text) <= budget || new StringInfo(chunk.Text).LengthInTextElements == 1, $"{JsonSerializer.Serialize(chunk.Text)} does not fit {budget}");
            covered = chunk.End;
        }

        Assert.True(string.IsNullOrWhiteSpace(text[covered..]), "the end was left out");
    }
}
