using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SkMmBert;

/// <summary>One activity a verb, and counters. No text, id or scope of an item is recorded.</summary>
internal static class MemoryTelemetry
{
    private static readonly Counter<long> s_recalls = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.memory.recalls", "{recall}", "Recalls answered.");
    private static readonly Counter<long> s_nothing = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.memory.nothing_found", "{recall}", "Recalls for which nothing was relevant.");
    private static readonly Counter<long> s_added = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.memory.added", "{text}", "Texts remembered.");
    private static readonly Counter<long> s_duplicates = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.memory.duplicates", "{text}", "Texts left out because they were there already.");
    private static readonly Counter<long> s_forgotten = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.memory.forgotten", "{chunk}", "Chunks forgotten.");
    private static readonly Histogram<long> s_stages = SkMmBertTelemetry.Meter.CreateHistogram<long>("skmmbert.memory.stage_items", "{item}", "Items that entered a stage of a recall; tag stage.");
    private static readonly Histogram<long> s_evidence = SkMmBertTelemetry.Meter.CreateHistogram<long>("skmmbert.memory.evidence", "{evidence}", "Evidence a recall returned.");
    private static readonly Histogram<double> s_topScore = SkMmBertTelemetry.Meter.CreateHistogram<double>("skmmbert.memory.top_score", "1", "Fused score of the best candidate, returned or not.");
    private static readonly Histogram<double> s_duration = SkMmBertTelemetry.Meter.CreateHistogram<double>("skmmbert.memory.recall.duration", "ms", "Time of a recall, its embedding included.");

    public static void Recalled(Activity? activity, MemorySearchResult found, float topScore, float floor, int evidence, TimeSpan elapsed)
    {
        s_recalls.Add(1);
        s_nothing.Add(evidence == 0 ? 1 : 0);
        s_evidence.Record(evidence);
        s_topScore.Record(topScore);
        s_duration.Record(elapsed.TotalMilliseconds);
        foreach (StageWidth width in found.Widths)
        {
            s_stages.Record(width.Items, new KeyValuePair<string, object?>("stage", width.Stage));
            activity?.SetTag($"skmmbert.memory.stage.{width.Stage}", width.Items);
        }

        activity?.SetTag("skmmbert.memory.candidates", found.Candidates.Count);
        activity?.SetTag("skmmbert.memory.evidence", evidence);
        activity?.SetTag("skmmbert.memory.top_score", topScore);
        activity?.SetTag("skmmbert.memory.floor", floor);
    }

    public static void Remembered(Activity? activity, RememberResult result)
    {
        s_added.Add(result.Added);
        s_duplicates.Add(result.Duplicates);
        activity?.SetTag("skmmbert.memory.added", result.Added);
        activity?.SetTag("skmmbert.memory.duplicates", result.Duplicates);
        activity?.SetTag("skmmbert.memory.chunks", result.Chunks);
    }

    public static void Forgot(Activity? activity, int chunks)
    {
        s_forgotten.Add(chunks);
        activity?.SetTag("skmmbert.memory.forgotten", chunks);
    }
}
