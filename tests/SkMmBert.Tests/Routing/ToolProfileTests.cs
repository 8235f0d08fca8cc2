using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolProfileTests
{
    [Fact]
    public void FromJson_Schema_ReadsParametersWithDescriptions()
    {
        ToolProfile profile = ToolProfile.FromJson("""{"name":"book","description":"Books a table","parameters":{"type":"object","properties":{"city":{"type":"string","description":"where"},"day":{"type":"string"}}},"examples":["a table for two"]}""");
        Assert.Equal("book", profile.Name);
        Assert.Equal("Books a table", profile.Description);
        Assert.Equal([new ToolParameter("city", "where"), new ToolParameter("day", null)], profile.Parameters);
        Assert.Equal(["a table for two"], profile.Examples);
    }

    [Theory]
    [InlineData("""{"name":"a","params":["x","y"]}""", 2)]
    [InlineData("""{"name":"a","params":{"x":"what"}}""", 1)]
    [InlineData("""{"name":"a","inputSchema":{"type":"object","properties":{"x":{}}}}""", 1)]
    [InlineData("""{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"x":{}}}}}""", 1)]
    [InlineData("""{"name":"a","parameters":{"type":"object"}}""", 0)]
    [InlineData("""{"name":"a","parameters":null,"description":null}""", 0)]
    public void FromJson_OtherForms_ReadsParameters(string json, int parameters) => Assert.Equal(parameters, ToolProfile.FromJson(json).Parameters.Count);

    [Fact]
    public void FromJson_OtherTexts_BecomeKeywords() =>
        Assert.Equal(["Music", "live", "tour"], ToolProfile.FromJson("""{"name":"a","category":"Music","tags":["live","tour"],"cost":3}""").Keywords);

    [Theory]
    [InlineData("""{"description":"x"}""")]
    [InlineData("[1]")]
    [InlineData("{nope")]
    [InlineData("")]
    public void FromJson_NoTool_SaysWhatIsExpected(string json) => Assert.Contains("Expected: {\"name\"", Assert.Throws<FormatException>(() => ToolProfile.FromJson(json)).Message);

    [Fact]
    public void FromTool_Function_ReadsSchemaPluginAndExamples()
    {
        AIFunction tool = AIFunctionFactory.Create((string city) => city, new AIFunctionFactoryOptions
        {
            Name = "get_weather",
            Description = "Weather of a city",
            AdditionalProperties = new Dictionary<string, object?> { ["plugin"] = "meteo", ["examples"] = new[] { "will it rain" } },
        });
        ToolProfile profile = ToolProfile.FromTool(tool);
        Assert.Equal("meteo.get_weather", profile.QualifiedName);
        Assert.Equal("city", Assert.Single(profile.Parameters).Name);
        Assert.Equal(["will it rain"], profile.Examples);
        Assert.Same(tool, profile.Tool);
    }

    [Fact]
    public void Of_DescribedOrBare_ReadsTheNameInWordsOrAsWritten()
    {
        Assert.Equal("get HTTP status: ask", ToolText.Of(new ToolProfile("getHTTPStatus") { Description = "ask" }));
        Assert.Equal("FindBus: from city, day", ToolText.Of(new ToolProfile("FindBus") { Parameters = [new("from_city", null), new("day", null)] }));
        Assert.Equal("find_bus", ToolText.Of(new ToolProfile("find_bus")));
    }

    [Fact]
    public void Of_LongTextWithControlCharacters_IsCutAndClean()
    {
        string text = ToolText.Of(new ToolProfile("a\u0001b\u0007c") { Description = new string('d', 100_000) + "\u0000" });
        Assert.StartsWith("a b c: ddd", text);
        Assert.InRange(text.Length, 2_000, 2_100);
    }
}
