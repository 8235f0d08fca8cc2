using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

/// <summary>What labelled questions teach beyond the tools' own texts. People ask for the tools in words that no tool's text has.</summary>
public sealed class LearnedToolsTests
{
    private const int Tools = 40;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FitAsync_QuestionsInOtherWordsThanTheTools_TellsThemFromOnesWithoutATool()
    {
        ToolCalibration calibration = await FitAsync(named: Tools);
        Assert.Equal(Enumerable.Range(0, Tools).Select(TestTools.Name), calibration.LearnedTools);
        int learned = await AnsweredAsync(calibration), plain = await AnsweredAsync(calibration with { Learned = null });
        Assert.InRange(learned, 55, 60);
        Assert.True(learned > plain + 10, $"{learned} of 60 new questions with a tool got one, {plain} without what was learned");

        ToolRouter router = Router(calibration);
        int falseTools = 0;
        for (int i = 100; i < 150; i++)
        {
            falseTools += (await router.RouteAsync(Outside(i), Stop)).Abstained ? 0 : 1;
        }

        Assert.InRange(falseTools, 0, 5);
    }

    [Fact]
    public async Task RouteAsync_BestToolNamedByNoExample_IsJudgedByTheSignalsAlone()
    {
        ToolCalibration calibration = await FitAsync();
        ToolRouter with = Router(calibration), without = Router(calibration with { Learned = null });
        RoutingDecision decision = await with.RouteAsync(TestTools.Question(Tools - 1), Stop), plain = await without.RouteAsync(TestTools.Question(Tools - 1), Stop);
        Assert.Equal(TestTools.Name(Tools - 1), decision.Candidates[0].Name);
        Assert.Equal(plain.Confidence, decision.Confidence);
        Assert.NotEqual((await without.RouteAsync(TestTools.Question(2), Stop)).Confidence, (await with.RouteAsync(TestTools.Question(2), Stop)).Confidence);
    }

    [Fact]
    public async Task RouteAsync_CatalogueInAnotherOrder_ScoresTheSameTools()
    {
        ToolCalibration calibration = await FitAsync();
        ToolRouter turned = new(new NgramEmbedder(), Enumerable.Reverse(TestTools.Many(Tools)), new() { Calibration = calibration });
        Assert.Equal((await Router(calibration).RouteAsync(Asked(4, 9), Stop)).Confidence, (await turned.RouteAsync(Asked(4, 9), Stop)).Confidence, 4);
    }

    [Fact]
    public async Task Best_ToolTakenOutOfTheCatalogue_CountsNoMore()
    {
        LearnedTools learned = (await FitAsync()).Learned!;
        ToolProfile[] all = [.. TestTools.Many(Tools).Select(tool => ToolProfile.FromTool(tool))];
        ToolProfile[] fewer = [.. all.Where(profile => profile.Name != TestTools.Name(4)), new ToolProfile("a_new_tool")];
        float[] vector = (await new NgramEmbedder().GenerateAsync([Asked(4, 9)], cancellationToken: Stop))[0].Vector.ToArray();
        Assert.Equal(-1, learned.RowsOf(fewer)[^1]);
        Assert.True(learned.Best(learned.RowsOf(all), vector) > learned.Best(learned.RowsOf(fewer), vector) + 1);
        int[] rows = learned.RowsOf(all);
        long before = GC.GetAllocatedBytesForCurrentThread();
        learned.Best(rows, vector);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task RouteAsync_CalibrationFromJson_DecidesTheSame()
    {
        ToolCalibration calibration = await FitAsync(), read = ToolCalibration.FromJson(calibration.ToJson());
        Assert.Equal(calibration.LearnedTools, read.LearnedTools);
        RoutingDecision decision = await Router(calibration).RouteAsync(Asked(6, 9), Stop), again = await Router(read).RouteAsync(Asked(6, 9), Stop);
        Assert.Equal((decision.Confidence, decision.Threshold), (again.Confidence, again.Threshold));
    }

    [Fact]
    public async Task FromJson_LearnedNumbersOfAnotherCount_SaysWhatIsExpected()
    {
        string json = (await FitAsync()).ToJson().Replace($"\"{TestTools.Name(4)}\",", "", StringComparison.Ordinal);
        Assert.Contains("Expected: what ToolCalibration.ToJson", Assert.Throws<FormatException>(() => ToolCalibration.FromJson(json)).Message);
    }

    [Fact]
    public async Task ToolRouter_CalibrationOfAnotherModel_NamesBoth()
    {
        ToolCalibration calibration = await FitAsync();
        string message = Assert.Throws<ArgumentException>(() => new ToolRouter(new NgramEmbedder(model: "other"), TestTools.Many(), new() { Calibration = calibration })).Message;
        Assert.Contains("ngrams", message);
        Assert.Contains("other", message);
        Assert.False((await new ToolRouter(new NgramEmbedder(model: "other"), TestTools.Many(), new() { Calibration = calibration with { Learned = null } }).RouteAsync(TestTools.Question(3), Stop)).Error is not null);
    }

    [Fact]
    public async Task FitAsync_OneToolNamed_LearnsNone()
    {
        ToolExample[] examples = [.. Enumerable.Range(0, 9).Select(i => new ToolExample(Asked(4, i), [TestTools.Name(4)])), .. Enumerable.Range(0, 9).Select(i => new ToolExample(Outside(i), []))];
        Assert.Empty((await ToolCalibration.FitAsync(TestTools.Router(count: Tools), examples, 0.05, Stop)).LearnedTools);
    }

    [Fact]
    public async Task Run_CancelledToken_Stops()
    {
        using CancellationTokenSource stopped = new();
        await stopped.CancelAsync();
        (_, _, ToolIndex index, _) = await TestTools.Router(count: Tools).SearchAsync("x", 1, Stop);
        LabelledVector[] questions = [new(new float[128], [0]), new(new float[128], [1])];
        Assert.ThrowsAny<OperationCanceledException>(() => LearnedToolsFit.Run(index, "ngrams", questions, stopped.Token));
    }

    // Examples for the first half of the tools, unless all are to be named.
    private static Task<ToolCalibration> FitAsync(int named = Tools / 2)
    {
        ToolExample[] examples =
        [
            .. Enumerable.Range(0, named).SelectMany(tool => Enumerable.Range(0, 6).Select(i => new ToolExample(Asked(tool, i), [TestTools.Name(tool)]))),
            .. Enumerable.Range(0, 60).Select(i => new ToolExample(Outside(i), [])),
        ];
        return ToolCalibration.FitAsync(TestTools.Router(count: Tools), examples, 0.05, Stop);
    }

    private static async Task<int> AnsweredAsync(ToolCalibration calibration)
    {
        ToolRouter router = Router(calibration);
        int answered = 0;
        for (int i = 0; i < 60; i++)
        {
            answered += (await router.RouteAsync(Asked(i % Tools, 10 + (i / Tools)), Stop)).Abstained ? 0 : 1;
        }

        return answered;
    }

    private static ToolRouter Router(ToolCalibration calibration) => TestTools.Router(options: new() { Calibration = calibration }, count: Tools);

    private static string Asked(int tool, int i) => $"{Word(tool)} {Word(500 + tool)} {Word(1_000 + i)}";

    private static string Outside(int i) => $"{Word(5_000 + i)} {Word(6_000 + i)} {Word(1_000 + (i % 20))}";

    // Eight letters that follow from the number.
    private static string Word(int number)
    {
        uint state = (uint)number;
        return string.Create(8, state, static (letters, state) =>
        {
            for (int i = 0; i < letters.Length; i++)
            {
                state = unchecked((state * 747796405) + 2891336453);
                letters[i] = (char)('a' + ((state >> 16) % 26));
            }
        });
    }
}
