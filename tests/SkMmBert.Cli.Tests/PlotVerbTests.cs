using System.Text;
using System.Xml.Linq;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class PlotVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Plot_SeveralExits_IsQualityAgainstCost()
    {
        string[] rows = [.. from exit in new[] { 1, 3 } from dims in new[] { 256, 64 } select $$"""{"set":"a","model":"m","precision":"fp32","exit":{{exit}},"dims":{{dims}},"spearman":{{(exit * 0.2) + (dims / 1000.0):0.###}},"count":10}"""];
        XElement svg = await SvgAsync(string.Join('\n', rows));
        Assert.Equal(2, Lines(svg).Length); // one for each length
        Assert.All(Lines(svg), line => Assert.Equal(2, line.Length));
        Assert.All(Lines(svg), line => Assert.True(line[1].X > line[0].X && line[1].Y < line[0].Y)); // a later exit is dearer and better
        Assert.Contains("256 dimensions, fp32", svg.Value);
        Assert.Contains("layers run", svg.Value);
    }

    [Fact]
    public async Task Plot_WithABenchmark_CostIsTime()
    {
        string rows = """
            {"set":"a","model":"m","precision":"int8","exit":1,"dims":64,"spearman":0.5,"count":10}
            {"set":"a","model":"m","precision":"int8","exit":3,"dims":64,"spearman":0.6,"count":10}
            {"case":"one text","model":"m","tokens":32,"precision":"int8","exit":1,"milliseconds":2}
            {"case":"one text","model":"m","tokens":32,"precision":"int8","exit":3,"milliseconds":5.5}
            """;
        XElement svg = await SvgAsync(rows);
        Assert.Contains("milliseconds of processor time for a text of 32 tokens", svg.Value);
        Assert.Contains("64 dimensions, int8: 5.5, 0.6", svg.Value);
    }

    [Fact]
    public async Task Plot_SetsThatOneCombinationLacks_AreLeftOut()
    {
        string rows = """
            {"set":"a","model":"m","precision":"fp32","exit":1,"dims":64,"accuracy":0.2,"count":10}
            {"set":"a","model":"m","precision":"fp32","exit":3,"dims":64,"accuracy":0.4,"count":10}
            {"set":"b","model":"m","precision":"fp32","exit":3,"dims":64,"accuracy":1,"count":10}
            {"set":"mean","model":"m","precision":"fp32","exit":3,"dims":64,"accuracy":0.7,"count":20}
            """;
        Assert.Contains("64 dimensions, fp32: 3, 0.4", (await SvgAsync(rows)).Value);
    }

    [Fact]
    public async Task Plot_Routing_IsABarForEachWay()
    {
        string rows = """
            {"set":"tools","way":"bm25","model":"m","precision":"fp32","exit":6,"dims":256,"ndcg@10":0.25,"count":9}
            {"set":"tools","way":"router","model":"m","precision":"fp32","exit":6,"dims":256,"ndcg@10":0.5,"count":9}
            {"set":"abstention","way":"clinc fitted for 1 %","model":"m","precision":"fp32","exit":6,"dims":256,"false_tool_rate":0.01,"right_tool_listed":0.5,"count":9}
            """;
        XElement svg = await SvgAsync(rows);
        double[] bars = [.. svg.Elements().Where(element => element.Name.LocalName == "rect" && element.Attribute("class")!.Value != "page").Select(element => (double)element.Attribute("width")!)];
        Assert.Equal(2, bars[0] / bars[1], 0.01); // the router first, twice as good
        Assert.Contains("Saying that no tool fits", svg.Value);
    }

    [Theory]
    [InlineData("""{"set":"s","way":"signs","model":"m","precision":"fp32","exit":6,"dims":256,"width":10,"exact_kept":0.5,"count":4}""", "sign bits")]
    [InlineData("""{"loss":0.02,"cost":0.6,"same_top_5":0.98,"same_top_1":0.99}""", "same five")]
    [InlineData("""{"case":"one text","model":"m","tokens":16,"precision":"int8","exit":6,"milliseconds":2,"naive_milliseconds":6,"ratio_to_naive":3}""", "plain export")]
    public async Task Plot_OtherKinds_AreKnownByTheirFields(string row, string says) => Assert.Contains(says, (await SvgAsync(row)).Value);

    [Theory]
    [InlineData("""{"a":1}""", "", "cannot be drawn")]
    [InlineData("x", "", "line 1")]
    [InlineData("""{"loss":0.02,"cost":0.6,"same_top_5":0.98}""", "--what speed", "as speed")]
    public async Task Plot_NothingToDraw_IsExitCode2(string rows, string options, string says)
    {
        CommandLine run = await CommandLine.RunAsync($"plot {_folder.Write("rows.jsonl", rows)} {options}");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }

    private async Task<XElement> SvgAsync(string rows)
    {
        CommandLine run = await CommandLine.RunAsync($"plot {_folder.Write("rows.jsonl", rows)}");
        Assert.True(run.ExitCode == 0, run.Error);
        return XDocument.Parse(Encoding.UTF8.GetString(run.Data)).Root!;
    }

    // The lines of panels; those of the legend have a flat pair of points.
    private static (double X, double Y)[][] Lines(XElement svg) => [.. svg.Elements().Where(element => element.Name.LocalName == "polyline")
        .Select(element => element.Attribute("points")!.Value.Split(' ').Select(point => (double.Parse(point.Split(',')[0]), double.Parse(point.Split(',')[1]))).ToArray()).Where(points => points[0].Item2 != points[^1].Item2)];
}
