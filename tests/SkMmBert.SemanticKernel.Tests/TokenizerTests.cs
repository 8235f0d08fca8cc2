using System.Buffers;
using Microsoft.ML.Tokenizers;
using Microsoft.SemanticKernel.Text;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Our tokenizers through the face of Microsoft.ML.Tokenizers.</summary>
public sealed class TokenizerTests
{
    private static readonly TextTokenizer Ours = TextTokenizer.Open(Path.Combine(Paths.MiniEmbed, "tokenizer.json"));
    private static readonly Tokenizer Face = new MmBertTokenizer(Ours);

    public static TheoryData<string> Texts =>
    [
        "", " ", "Get the current weather for a city", "Zürich  und\n\tGenf", "東京駅で会いましょう", "القطار مريح في السفر", "🚆👩‍🚀 emoji 🇨🇭", "a\uD83Db lone", "<bos> written out </s>",
        string.Join(' ', Enumerable.Range(0, 300).Select(i => $"word{i}")),
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void Encode_EachForm_HasTheIdsAndOffsetsOfTheModel(string text)
    {
        EncodedText expected = Ours.Encode(text, addSpecialTokens: false);
        Assert.Equal(expected.Ids, Face.EncodeToIds(text));
        Assert.Equal(expected.Ids, Face.EncodeToIds(text.AsSpan()));
        Assert.Equal(expected.Ids.Length, Face.CountTokens(text));
        Assert.Equal(expected.Ids.Length, Face.CountTokens(text.AsSpan()));
        IReadOnlyList<EncodedToken> tokens = Face.EncodeToTokens(text, out string? normalized);
        Assert.Null(normalized);
        Assert.Equal(expected.Ids, tokens.Select(token => token.Id));
        Assert.Equal(expected.Offsets.Select(offset => text[offset.Start..offset.End]), tokens.Select(token => text[token.Offset]));
        Assert.All(tokens, token => Assert.Equal(Ours.IdToToken(token.Id), token.Value));
        Assert.Equal(Ours.Decode(expected.Ids), Face.Decode(expected.Ids));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void EncodeToIds_Limited_SaysHowMuchWasRead(string text)
    {
        IReadOnlyList<int> all = Face.EncodeToIds(text);
        for (int most = 1; most <= Math.Min(20, all.Count + 1); most++)
        {
            IReadOnlyList<int> some = Face.EncodeToIds(text, most, out string? normalized, out int read);
            Assert.Null(normalized);
            Assert.Equal(all.Take(most), some);
            Assert.True(read <= text.Length);
            Assert.True(most < all.Count || read == text.Length);
            Assert.Equal(read, Face.GetIndexByTokenCount(text, most, out _, out int counted));
            Assert.InRange(counted, 0, some.Count);
            Assert.True(Face.CountTokens(text.AsSpan(0, read)) <= most, $"{read} characters have more than {most} tokens");
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void GetIndexByTokenCountFromEnd_EachLimit_LeavesAtMostThatMany(string text)
    {
        int all = Face.CountTokens(text);
        for (int most = 1; most <= Math.Min(20, all + 1); most++)
        {
            int index = Face.GetIndexByTokenCountFromEnd(text, most, out _, out int counted);
            Assert.InRange(counted, 0, Math.Min(most, all));
            Assert.InRange(index, 0, text.Length);
            Assert.True(most < all || (index == 0 && counted == all));
            TokenOffset[] offsets = Ours.Encode(text, addSpecialTokens: false).Offsets;
            Assert.All(offsets[^counted..], offset => Assert.True(offset.Start >= index));
            Assert.All(offsets[..^counted], offset => Assert.True(offset.End <= index));
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Decode_IntoASpan_WritesWholeIdsOnly(string text)
    {
        int[] ids = [.. Face.EncodeToIds(text)];
        string whole = Face.Decode(ids);
        char[] destination = new char[whole.Length];
        Assert.Equal(OperationStatus.Done, Face.Decode(ids, destination, out int used, out int written));
        Assert.Equal((ids.Length, whole), (used, new string(destination, 0, written)));
        for (int room = 0; room < Math.Min(whole.Length, 30); room++)
        {
            OperationStatus status = Face.Decode(ids, destination.AsSpan(0, room), out used, out written);
            Assert.Equal(OperationStatus.DestinationTooSmall, status);
            Assert.StartsWith(new string(destination, 0, written), whole, StringComparison.Ordinal);
            Assert.True(used < ids.Length && written <= room);
        }
    }

    [Fact]
    public void TextChunker_OfSemanticKernel_CutsByOurTokens()
    {
        string text = string.Join(' ', Enumerable.Range(0, 200).Select(i => $"word{i}"));
#pragma warning disable SKEXP0050 // TextChunker
        List<string> lines = TextChunker.SplitPlainTextLines(text, 40, line => Face.CountTokens(line));
#pragma warning restore SKEXP0050
        Assert.True(lines.Count > 1);
        Assert.All(lines, line => Assert.InRange(Face.CountTokens(line), 1, 40));
    }
}
