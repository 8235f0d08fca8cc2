using System.Diagnostics;
using System.Diagnostics.Metrics;
using Xunit;

namespace SkMmBert.Tests;

public sealed class MemoryTelemetryTests
{
    private static readonly AsyncLocal<bool> s_mine = new();

    [Fact]
    public async Task Verbs_Listened_TellWhatTheyDidAndNoText()
    {
        Dictionary<string, List<(double Value, string? Stage)>> measured = [];
        using MeterListener meters = new() { InstrumentPublished = (instrument, listener) => Listen(instrument, listener) };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
        meters.Start();
        List<Activity> activities = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == "SkMmBert",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => s_mine.Value ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(listener);
        AgentMemory memory = new(new HashedGenerator(), new InMemoryStore(), new() { Tiers = [64, 128, 256] });
        s_mine.Value = true;

        await memory.RememberAsync([new MemoryItem { Text = "Bob is allergic to peanuts." }, new MemoryItem { Text = "bob is allergic to peanuts" }, new MemoryItem { Text = "Ada prefers trains." }]);
        Assert.NotEmpty(await memory.RecallAsync("Who is allergic to peanuts?"));
        Assert.Empty(await memory.RecallAsync("zzz qqq xxx", new() { Floor = 50 }));
        await memory.ForgetAsync(MemoryFilter.All);
        s_mine.Value = false;

        double Sum(string name) => measured[$"skmmbert.memory.{name}"].Sum(pair => pair.Value);
        Assert.Equal((2, 1, 2), (Sum("added"), Sum("duplicates"), Sum("forgotten")));
        Assert.Equal((2, 1), (Sum("recalls"), Sum("nothing_found")));
        Assert.Equal(2, measured["skmmbert.memory.recall.duration"].Count(pair => pair.Value > 0));
        Assert.Equal(2, measured["skmmbert.memory.top_score"].Count);
        Assert.Equal([0], measured["skmmbert.memory.evidence"].Skip(1).Select(pair => pair.Value));
        Assert.Equal(["signs", "route", "retrieve", "match", "lexical"], measured["skmmbert.memory.stage_items"].Take(5).Select(pair => pair.Stage));
        Assert.Equal(2, measured["skmmbert.memory.stage_items"][0].Value);
        Assert.Equal(["memory.remember", "memory.recall", "memory.recall", "memory.forget"], activities.Select(activity => activity.OperationName));
        Assert.Equal(2, activities[1].GetTagItem("skmmbert.memory.stage.signs"));
        Assert.Equal((0, 50f), (activities[2].GetTagItem("skmmbert.memory.evidence"), activities[2].GetTagItem("skmmbert.memory.floor")));
        Assert.All(activities.SelectMany(activity => activity.TagObjects), tag => Assert.DoesNotContain("peanuts", $"{tag.Value}"));

        void Add(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (s_mine.Value)
            {
                if (!measured.TryGetValue(name, out List<(double, string?)>? values))
                {
                    measured[name] = values = [];
                }

                values.Add((value, tags.Length > 0 ? tags[0].Value as string : null));
            }
        }
    }

    private static void Listen(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == "SkMmBert")
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }
}
