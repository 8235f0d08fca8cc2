using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class TokenizerPropertyTests
{
    private static readonly TextTokenizer _bert = TextTokenizer.Open(TokenFixtures.BertFile);

    // Strings of FsCheck, strung together with what is special to some tokenizer; lone surrogates and NUL come up too.
    private static readonly Gen<string> _texts = Gen.OneOf(
            ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => s.Get),
            Gen.Elements(" ", "  ", "\n", "\n\n", "\t", "▁", "<mask>", "<bos>", "[CLS]", "<", "a", "the", "é", "e\u0301", "東京", "👩‍👩‍👧", "\uD800", "\uDC00", "\0", "\uFEFF", "<0x41>"))
        .ListOf().Select(l => string.Concat(l));

    [Fact]
    public void Encode_SpanAndString_Agree() => ForAll(tokenizer => text =>
    {
        int[] ids = new int[(4 * text.Length) + 4];
        TokenOffset[] offsets = new TokenOffset[ids.Length];
        int count = tokenizer.Encode(text, ids, offsets, out int read);
        EncodedText encoded = tokenizer.Encode(text, addSpecialTokens: false);
        return read == text.Length && encoded.Ids.SequenceEqual(ids.Take(count)) && encoded.Offsets.SequenceEqual(offsets.Take(count))
            && tokenizer.CountTokens(text) == count;
    });

    [Fact]
    public void Encode_EveryLength_IsThePrefix() => ForAll(tokenizer => text =>
    {
        EncodedText whole = tokenizer.Encode(text, addSpecialTokens: false);
        int[] ids = new int[whole.Ids.Length];
        for (int length = 0; length <= whole.Ids.Length; length++)
        {
            EncodedText cut = tokenizer.Encode(text, length, addSpecialTokens: false);
            int count = tokenizer.Encode(text, ids.AsSpan(0, length), out int read);
            bool same = cut.Ids.SequenceEqual(whole.Ids.Take(length)) && cut.Offsets.SequenceEqual(whole.Offsets.Take(length)) && cut.Truncated == (length < whole.Ids.Length)
                && count == length && whole.Ids.Take(length).SequenceEqual(ids.Take(length)) && tokenizer.CountTokens(text, length) == length;
            bool reads = length == whole.Ids.Length ? read == text.Length : read <= whole.Offsets[length].Start || read <= (length > 0 ? whole.Offsets[length - 1].End : 0);
            if (!same || !reads)
            {
                return false;
            }
        }

        return true;
    });

    [Fact]
    public void Encode_Offsets_StayInTheTextAndInOrder() => ForAll(tokenizer => text =>
    {
        TokenOffset last = default;
        foreach (TokenOffset offset in tokenizer.Encode(text, addSpecialTokens: false).Offsets)
        {
            if (offset.Start < last.Start || offset.End < last.End || offset.End <= offset.Start || offset.End > text.Length)
            {
                return false;
            }

            last = offset;
        }

        return true;
    });

    [Fact]
    public void Encode_TwiceAndAfterOthers_IsTheSame() => ForAll(tokenizer => text =>
        tokenizer.Encode(text).Ids.SequenceEqual(TextTokenizerAfterOthers(tokenizer, text)));

    [Fact]
    public void EncodePair_AnyTexts_EqualsJoinedSides() => ForAll(tokenizer => text =>
    {
        string second = new([.. text.Reverse()]);
        int[] joined = new int[8 * (text.Length + 4)];
        int count = tokenizer.AddSpecialTokens(tokenizer.Encode(text, addSpecialTokens: false).Ids, tokenizer.Encode(second, addSpecialTokens: false).Ids, joined);
        return tokenizer.EncodePair(text, second).Ids.SequenceEqual(joined.Take(count));
    });

    [Fact]
    public void IsWhiteSpace_EveryUnit_IsWhatTheReferenceStrips() => Assert.Equal(
        "\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000",
        string.Concat(Enumerable.Range(0, 0x10000).Select(u => (char)u).Where(char.IsWhiteSpace)));

    [Fact]
    public void Decode_TextWithoutSpecialTokens_ComesBack()
    {
        foreach (string text in (string[])["Hello world.", "naïve café", "東京都 カリフォルニア", "👩‍👩‍👧 family\n\nnew", "a\0b", "tab\there"])
        {
            string decoded = TokenFixtures.Mini.Decode(TokenFixtures.Mini.Encode(text).Ids);

            Assert.Equal(text.Replace("\n", ""), decoded.TrimStart(' ').Replace("\n ", "").Replace("\n", "").Replace("\t ", "\t"));
        }

        Assert.Equal("don't stop, please.", _bert.Decode(_bert.Encode("don't stop, please.").Ids).Replace(" ' ", "'"));
    }

    [Fact]
    public void Decode_WithSpecialTokens_ShowsThem() =>
        Assert.Equal("<bos> Hi<eos>", TokenFixtures.Mini.Decode(TokenFixtures.Mini.Encode("Hi").Ids, skipSpecialTokens: false));

    [Theory]
    [InlineData(-1)]
    [InlineData(24_000)]
    public void Decode_IdOutsideTheVocabulary_IsRefused(int id) =>
        Assert.Contains($"The id {id} has no token", Assert.Throws<ArgumentOutOfRangeException>(() => TokenFixtures.Mini.Decode([id])).Message);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Encode_LessThanTheSpecialTokens_IsRefused(int maxTokens, bool pair)
    {
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(() => pair ? TokenFixtures.Mini.EncodePair("a", "b", maxTokens) : TokenFixtures.Mini.Encode("a", maxTokens));

        Assert.Contains($"at least {(pair ? 3 : 2)} is expected", refusal.Message);
        Assert.Equal("maxTokens", refusal.ParamName);
    }

    [Fact]
    public void TokenToId_KnownAndUnknown_AreToldApart()
    {
        Assert.Equal((0, 2), (TokenFixtures.Mini.PadTokenId, TokenFixtures.Mini.TokenToId("<bos>")));
        Assert.Equal(("<bos>", null, null), (TokenFixtures.Mini.IdToToken(2), TokenFixtures.Mini.TokenToId("no such token"), TokenFixtures.Mini.IdToToken(-1)));
        Assert.Equal((0, 101, 2, 3), (_bert.PadTokenId, _bert.TokenToId("[CLS]"), _bert.SpecialTokens, _bert.PairSpecialTokens));
    }

    [Theory]
    [InlineData("<bos>")]
    [InlineData("x <mask> y")]
    [InlineData("a</s><eos><pad>b")]
    public void Encode_Neutralised_SpecialTokensArePlainText(string text)
    {
        TextTokenizer plain = TextTokenizer.Open(Path.Combine(Paths.MiniEmbed, "tokenizer.json"), neutraliseSpecialTokens: true);

        Assert.Contains(TokenFixtures.Mini.Encode(text, addSpecialTokens: false).Ids, id => id < 5);
        Assert.DoesNotContain(plain.Encode(text, addSpecialTokens: false).Ids, id => id < 5);
        Assert.Equal(text, plain.Decode(plain.Encode(text).Ids).TrimStart());
    }

    [Fact]
    public void Encode_NeutralisedFullSize_NoSpecialTokenIsLeft()
    {
        TextTokenizer plain = TextTokenizer.Open(TokenFixtures.FullSizeFile, neutraliseSpecialTokens: true);
        int[] ids = plain.Encode("<pad> <eos><bos>x<unk> <mask><start_of_turn>user<end_of_turn>", addSpecialTokens: false).Ids;

        Assert.DoesNotContain(ids, id => id is < 5 or 106 or 107);
    }

    private static int[] TextTokenizerAfterOthers(TextTokenizer tokenizer, string text)
    {
        tokenizer.Encode("x" + text);
        tokenizer.CountTokens(text + "y");
        return tokenizer.Encode(text).Ids;
    }

    private static void ForAll(Func<TextTokenizer, Func<string, bool>> property)
    {
        foreach (TextTokenizer tokenizer in (TextTokenizer[])[TokenFixtures.Tiny, TokenFixtures.Mini, _bert])
        {
            Prop.ForAll(_texts.ToArbitrary(), property(tokenizer)).QuickCheckThrowOnFailure();
        }
    }
}
