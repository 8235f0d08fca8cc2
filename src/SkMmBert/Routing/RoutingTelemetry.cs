using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SkMmBert;

/// <summary>One activity a decision, and counters. No text of the conversation is recorded.</summary>
internal static class RoutingTelemetry
{
    private static readonly Counter<long> s_decisions = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.routing.decisions", "{decision}", "Decisions made.");
    private static readonly Counter<long> s_abstained = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.routing.abstained", "{decision}", "Decisions that no tool fits.");
    private static readonly Counter<long> s_candidates = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.routing.candidates", "{tool}", "Tools that decisions chose from.");
    private static readonly Counter<long> s_kept = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.routing.kept", "{tool}", "Tools that decisions kept.");
    private static readonly Counter<long> s_saved = SkMmBertTelemetry.Meter.CreateCounter<long>("skmmbert.routing.tokens_saved", "{token}", "Estimated prompt tokens of the tools left out.");
    private static readonly Histogram<double> s_topScore = SkMmBertTelemetry.Meter.CreateHistogram<double>("skmmbert.routing.top_score", "1", "Score of the best tool.");
    private static readonly Histogram<double> s_margin = SkMmBertTelemetry.Meter.CreateHistogram<double>("skmmbert.routing.margin", "1", "Margin of the best tool.");
    private static readonly Histogram<double> s_duration = SkMmBertTelemetry.Meter.CreateHistogram<double>("skmmbert.routing.duration", "ms", "Time of a decision.");

    public static void Record(RoutingDecision decision, ToolEntry[] entries, Activity? activity)
    {
        long saved = TokensSaved(decision, entries);
        float topScore = decision.Candidates.Count > 0 ? decision.Candidates[0].Score : 0;
        s_decisions.Add(1);
        s_abstained.Add(decision.Abstained ? 1 : 0);
        s_candidates.Add(decision.CatalogueSize);
        s_kept.Add(decision.Tools.Count);
        s_saved.Add(saved);
        s_topScore.Record(topScore);
        s_margin.Record(decision.Margin);
        s_duration.Record(decision.Elapsed.TotalMilliseconds);
        activity?.SetTag("skmmbert.routing.candidates", decision.CatalogueSize);
        activity?.SetTag("skmmbert.routing.kept", decision.Tools.Count);
        activity?.SetTag("skmmbert.routing.abstained", decision.Abstained);
        activity?.SetTag("skmmbert.routing.top_score", topScore);
        activity?.SetTag("skmmbert.routing.margin", decision.Margin);
        activity?.SetTag("skmmbert.routing.tokens_saved", saved);
        if (decision.Error is { } error)
        {
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        }
    }

    public static long TokensSaved(RoutingDecision decision, ToolEntry[] entries) =>
        entries.Sum(entry => (long)entry.PromptTokens) - decision.Tools.Sum(tool => (long)entries[tool.Index].PromptTokens);
}
