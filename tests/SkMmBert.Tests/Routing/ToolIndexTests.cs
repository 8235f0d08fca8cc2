using System.Diagnostics;
using System.Diagnostics.Metrics;
using Xunit;

namespace SkMmBert.Tests.Routing;

public sealed class ToolIndexTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LoadIndex_Saved_EmbedsNothingButTheQuestion()
    {
        using MemoryStream saved = await SavedAsync();
        NgramEmbedder embedder = new();
        ToolRouter router = TestTools.Router(embedder);
        router.LoadIndex(saved);
        RoutingDecision decision = await router.RouteAsync(TestTools.Question(60), Stop);
        Assert.Equal(1, embedder.Texts);
        Assert.Equal(TestTools.Name(60), decision.Tools[0].Name);
    }

    [Fact]
    public async Task LoadIndex_OfAnotherModel_NamesBoth()
    {
        using MemoryStream saved = await SavedAsync();
        string message = Assert.Throws<InvalidDataException>(() => TestTools.Router(new NgramEmbedder(model: "other-model")).LoadIndex(saved)).Message;
        Assert.Contains("ngrams", message);
        Assert.Contains("other-model", message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(-1)]
    public async Task LoadIndex_CutShort_IsRefusedAndLeavesTheRouterUsable(int length)
    {
        using MemoryStream saved = await SavedAsync();
        saved.SetLength(length < 0 ? saved.Length - 1 : length);
        ToolRouter router = TestTools.Router();
        Assert.Throws<InvalidDataException>(() => router.LoadIndex(saved));
        Assert.Equal(TestTools.Name(8), (await router.RouteAsync(TestTools.Question(8), Stop)).Tools[0].Name);
    }

    [Fact]
    public void SaveIndex_Empty_CanBeLoaded()
    {
        using MemoryStream stream = new();
        new ToolRouter(new NgramEmbedder()).SaveIndex(stream);
        stream.Position = 0;
        new ToolRouter(new NgramEmbedder()).LoadIndex(stream);
        Assert.Equal(stream.Length, stream.Position);
    }

    [Theory]
    [InlineData(1_000, 64)]
    [InlineData(12_000, 512)]
    public async Task Run_LargeCatalogue_AllocatesNothing(int tools, int width)
    {
        (ToolIndex index, ToolQuery query) = await LargeAsync(tools, width);
        ToolHit[] hits = new ToolHit[64];
        for (int i = 0; i < 50; i++)
        {
            ToolSearch.Run(index, query, ToolMixer.Weights, hits);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        ToolSearch.Run(index, query, ToolMixer.Weights, hits);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Run_TooLargeForAFullScan_FindsWhatTheFullScanFinds()
    {
        (ToolIndex index, ToolQuery query) = await LargeAsync(12_000, 512, route: 512);
        (ToolIndex narrow, _) = await LargeAsync(12_000, 512, route: 128);
        ToolHit[] exact = new ToolHit[10], hits = new ToolHit[10];
        ToolSearch.Run(index, query, ToolMixer.Weights, exact);
        ToolSearch.Run(narrow, query, ToolMixer.Weights, hits);
        Assert.Equal(exact[0].Tool, hits[0].Tool);
        Assert.InRange(exact.Select(hit => hit.Tool).Intersect(hits.Select(hit => hit.Tool)).Count(), 8, 10);
    }

    [Fact]
    public void Scan_Rows_GivesCosinesOfTheFloats()
    {
        Random random = new(7);
        float[][] rows = [.. Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, 200).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray())];
        ToolVectors vectors = new(20, 150);
        sbyte[] bytes = new sbyte[200];
        for (int i = 0; i < 20; i++)
        {
            ToolVectors.Quantize(rows[i], bytes);
            vectors.Set(i, bytes);
        }

        float[] cosines = new float[20];
        float scale = ToolVectors.Quantize(rows[3].AsSpan(0, 150), bytes.AsSpan(0, 150));
        vectors.Scan(bytes.AsSpan(0, 150), scale, cosines);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(Similarity.Cosine(rows[3].AsSpan(0, 150), rows[i].AsSpan(0, 150)), cosines[i], 0.01f);
        }
    }

    [Fact]
    public async Task RouteAsync_Listened_RecordsActivityAndCounters()
    {
        Dictionary<string, double> measured = [];
        using MeterListener meters = new() { InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == "SkMmBert") { listener.EnableMeasurementEvents(instrument); } } };
        meters.SetMeasurementEventCallback<long>((instrument, value, _, _) => { lock (measured) { measured[instrument.Name] = value; } });
        meters.SetMeasurementEventCallback<double>((instrument, value, _, _) => { lock (measured) { measured[instrument.Name] = value; } });
        meters.Start();
        List<Activity> activities = [];
        using ActivityListener listener = new() { ShouldListenTo = source => source.Name == "SkMmBert", Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData, ActivityStopped = activity => { lock (activities) { activities.Add(activity); } } };
        ActivitySource.AddActivityListener(listener);
        using Activity parent = new Activity("test").Start();
        RoutingDecision decision = await TestTools.Router().RouteAsync(TestTools.Question(2), Stop);
        Activity activity;
        lock (activities)
        {
            activity = Assert.Single(activities, activity => activity.OperationName == "route_tools" && activity.TraceId == parent.TraceId);
        }

        Assert.Equal(200, activity.GetTagItem("skmmbert.routing.candidates"));
        Assert.Equal(decision.Tools.Count, activity.GetTagItem("skmmbert.routing.kept"));
        Assert.True((long)activity.GetTagItem("skmmbert.routing.tokens_saved")! > 1_000);
        Assert.Equal(false, activity.GetTagItem("skmmbert.routing.abstained"));
        Assert.Equal(decision.Candidates[0].Score, activity.GetTagItem("skmmbert.routing.top_score"));
        Assert.Equal(decision.Margin, activity.GetTagItem("skmmbert.routing.margin"));
        lock (measured)
        {
            Assert.Superset(new HashSet<string> { "skmmbert.routing.candidates", "skmmbert.routing.kept", "skmmbert.routing.abstained", "skmmbert.routing.top_score", "skmmbert.routing.margin", "skmmbert.routing.tokens_saved" }, measured.Keys.ToHashSet());
        }
    }

    private static async Task<MemoryStream> SavedAsync()
    {
        ToolRouter router = TestTools.Router();
        await router.IndexAsync(Stop);
        MemoryStream stream = new();
        router.SaveIndex(stream);
        stream.Position = 0;
        return stream;
    }

    private static async Task<(ToolIndex Index, ToolQuery Query)> LargeAsync(int tools, int width, int? route = null)
    {
        ToolRouter router = new(
            new NgramEmbedder(width),
            Enumerable.Range(0, tools).Select(i => new ToolProfile($"{TestTools.Name(i)}_{i / 200}") { Description = $"Variant {i} of {TestTools.Question(i)}" }),
            new ToolRouterOptions { RouteDimensions = route ?? Math.Min(width, 64) });
        (_, _, ToolIndex index, _) = await router.SearchAsync("x", 1, Stop);
        return (index, await router.EmbedAsync(["Could you translate the poem number 7 for me? And list the photos of variant 99."], width, Stop));
    }
}
