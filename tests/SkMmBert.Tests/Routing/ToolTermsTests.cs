using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolTermsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  \u0000\t--", "")]
    [InlineData("forecast", "forecast")]
    [InlineData("getWeather", "get weather getweather")]
    [InlineData("get_weather.now", "get weather now")]
    [InlineData("HTTPServer2", "http server 2 httpserver2")]
    [InlineData("SongKick", "song kick songkick")]
    [InlineData("Cities forecasts", "city forecast")]
    [InlineData("bus status this", "bus status this")]
    [InlineData("Météo à Zürich", "meteo a zurich")]
    [InlineData("天気予報", "天気 気予 予報")]
    [InlineData("天", "天")]
    [InlineData("東京weather", "東京 weather")]
    [InlineData("ＷＥＡＴＨＥＲ", "weather")]
    [InlineData("Привет МИР", "привет мир")]
    [InlineData("🎵", "🎵")]
    public void Next_Text_GivesTermsInOrder(string text, string expected) => Assert.Equal(expected, string.Join(' ', Read(text)));

    [Fact]
    public void Next_VeryLongWord_IsCut() => Assert.Equal([new string('x', ToolTerms.MaxLength)], Read(new string('x', 10_000)));

    [Fact]
    public void Next_LoneSurrogates_EndsWithAllRead() => Assert.NotEmpty(Read("a\uD800b\uDC00 c"));

    private static List<string> Read(string text)
    {
        List<string> terms = [];
        ToolTerms reader = new(text, new char[ToolTerms.MaxLength]);
        while (reader.Next(out ReadOnlySpan<char> term))
        {
            terms.Add(term.ToString());
        }

        return terms;
    }
}
