using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolCalibrationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public async Task FitAsync_LabelledExamples_KeepsTheTargetOnThem(double target)
    {
        ToolRouter router = TestTools.Router();
        List<ToolExample> examples = Examples();
        ToolCalibration calibration = await ToolCalibration.FitAsync(router, examples, target, Stop);
        ToolRouter fitted = TestTools.Router(options: new() { Calibration = calibration });
        int falseTools = 0, found = 0;
        foreach (ToolExample example in examples)
        {
            RoutingDecision decision = await fitted.RouteAsync(example.Query, Stop);
            falseTools += example.Tools.Count == 0 && !decision.Abstained ? 1 : 0;
            found += example.Tools.Count > 0 && decision.Tools.Any(tool => tool.Name == example.Tools[0]) ? 1 : 0;
        }

        Assert.InRange(falseTools, 0, (int)(target * 20));
        Assert.InRange(found, 90, 100);
    }

    [Fact]
    public async Task FitAsync_NoExamplesWithoutTools_KeepsTheDefault()
    {
        Assert.Equal(ToolCalibration.Default, await ToolCalibration.FitAsync(TestTools.Router(), [], 0.05, Stop));
        Assert.Equal(ToolCalibration.Default, await ToolCalibration.FitAsync(TestTools.Router(), [new(TestTools.Question(1), [TestTools.Name(1)])], 0.05, Stop));
    }

    [Fact]
    public async Task FitAsync_ImpossibleTarget_SaysWhatIsExpected() =>
        Assert.Contains("Expected: 0 to 1", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ToolCalibration.FitAsync(TestTools.Router(), [], 5, Stop))).Message);

    [Fact]
    public void FromJson_ToJson_GivesTheSame()
    {
        ToolCalibration calibration = ToolCalibration.Default with { Threshold = 0, MinimumChance = 0.25f };
        ToolCalibration read = ToolCalibration.FromJson(calibration.ToJson());
        Assert.Equal(0f, read.Threshold);
        Assert.Equal(0.25f, read.MinimumChance);
        Assert.Equal(calibration.Weights, read.Weights);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"threshold":1,"minimum_chance":1,"weights":[1,2]}""")]
    [InlineData("""{"threshold":1,"minimum_chance":1,"weights":[1,2,3,4,5,6,7,8],"learned":{"model":"m","weights":[1,2,3,4,5,6,7,8,9],"tools":["a"],"rows":"!","constants":"AAAAAA=="}}""")]
    [InlineData("""{"threshold":1,"minimum_chance":1,"weights":[1,2,3,4,5,6,7,8],"learned":{"model":"m","weights":[1],"tools":["a"],"rows":"AAAAAA==","constants":"AAAAAA=="}}""")]
    [InlineData("""{"threshold":1,"minimum_chance":1,"weights":[1,2,3,4,5,6,7,8],"learned":7}""")]
    [InlineData("""{"threshold":"x","minimum_chance":1,"weights":[1,2,3,4,5,6,7,8]}""")]
    public void FromJson_NoCalibration_SaysWhatIsExpected(string json) =>
        Assert.Contains("Expected: what ToolCalibration.ToJson", Assert.Throws<FormatException>(() => ToolCalibration.FromJson(json)).Message);

    private static List<ToolExample> Examples() =>
    [
        .. Enumerable.Range(0, 100).Select(i => new ToolExample(TestTools.Question(i * 2), [TestTools.Name(i * 2)])),
        .. Enumerable.Range(0, 20).Select(i => new ToolExample($"why do {(char)('a' + i)}{(char)('z' - i)} birds sing number {i}", [])),
    ];
}
