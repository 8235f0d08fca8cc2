using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests.Text;

public sealed class BoundariesTests
{
    [Theory]
    [InlineData("One two. |Three four", "Sentence")]
    [InlineData("He said \"stop.\" |Then he left", "Sentence")]
    [InlineData("今日は晴れです。|明日は雨です。", "Sentence")]
    [InlineData("「今日は晴れです。」|明日は雨です。", "Sentence")]
    [InlineData("यह एक वाक्य है। |यह दूसरा है।", "Sentence")]
    [InlineData("هل أنت هنا؟ |نعم أنا هنا", "Sentence")]
    [InlineData("یہ ایک جملہ ہے۔ |یہ دوسرا ہے", "Sentence")]
    [InlineData("ሰላም ነው። |ደህና ነህ", "Sentence")]
    [InlineData("first line\n|second line", "Line")]
    [InlineData("first part\r\n\r\n|second part", "Paragraph")]
    [InlineData("first part\n  \n |second part", "Paragraph")]
    [InlineData("about 3.|14 metres", "Grapheme")]
    [InlineData("see e.g. |Berlin", "Word")]
    [InlineData("by J. |Smith", "Word")]
    [InlineData("the end. |but not", "Word")]
    [InlineData("two |words", "Word")]
    [InlineData("two| words", "Word")]
    [InlineData("東京、|大阪", "Word")]
    [InlineData("東京|タワー", "Word")]
    [InlineData("カリ|フォルニア", "Grapheme")]
    [InlineData("do|n't", "Grapheme")]
    [InlineData("終わり|。", "Grapheme")]
    public void Strength_AtTheBar_IsExpected(string marked, string expected)
    {
        int at = marked.IndexOf('|');
        Assert.Equal(expected, Boundaries.Strength(marked.Remove(at, 1), at).ToString());
    }

    [Theory]
    [InlineData("One two three. Four five six", 20, "One two three.")]
    [InlineData("One. Two three four five six", 20, "One. Two three four")]
    [InlineData("abcdefghij", 4, "abcd")]
    [InlineData("a\n\nlong paragraph here", 8, "a\n\nlong")]
    public void FindCut_WithLimit_PrefersStrongPlacesInTheSecondHalf(string text, int limit, string expected) =>
        Assert.Equal(expected, text[..Boundaries.FindCut(text, 0, limit)].TrimEnd());

    [Fact]
    public void FindCut_FirstCharacterTooLong_IsStart() => Assert.Equal(0, Boundaries.FindCut("👩‍👩‍👧‍👦 family", 0, 3));

    [Fact]
    public void FindCut_AnyText_NeverSplitsACharacter()
    {
        Prop.ForAll<NonNull<string>, byte, byte>((any, from, length) =>
        {
            string text = any.Get + "e\u0301👩‍👩‍👧🇩🇪\r\n가\u0300";
            int[] places = StringInfo.ParseCombiningCharacters(text);
            int start = places[from % places.Length];
            int cut = Boundaries.FindCut(text, start, Math.Min(text.Length, start + length));
            return cut == start || cut == text.Length || places.Contains(cut);
        }).QuickCheckThrowOnFailure();
    }
}
