using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>From the hits of a search to a decision: how many tools, or none.</summary>
internal static class RoutingDecisions
{
    public static RoutingDecision Of(ToolIndex index, ReadOnlySpan<ToolHit> hits, in ToolSignals signals, ToolRouterOptions options, int? top, string? note)
    {
        float confidence = options.Calibration.Confidence(signals);
        bool abstained = top is null && confidence < options.Calibration.Threshold;
        int kept = abstained ? 0 : top is { } fixedNumber ? Math.Min(fixedNumber, hits.Length) : Length(hits, options);
        RoutedTool[] candidates = new RoutedTool[hits.Length];
        for (int i = 0; i < hits.Length; i++)
        {
            ToolHit hit = hits[i];
            candidates[i] = new RoutedTool(index.Profiles[hit.Tool], hit.Tool, confidence * MathF.Exp(hit.Score - hits[0].Score), hit.Dense, hit.Lexical, i < kept ? ToolInclusion.Matched : ToolInclusion.None);
        }

        HashSet<int> always = options.AlwaysInclude is null || top is not null ? [] : [.. Enumerable.Range(0, index.Count).Where(tool => options.AlwaysInclude(index.Profiles[tool]))];
        always.ExceptWith(candidates.Take(kept).Select(tool => tool.Index));
        string margin = hits.Length > 1 ? $", the next one at {candidates[1].Score:0.00}" : "";
        return new RoutingDecision
        {
            Tools = [.. candidates.Take(kept), .. always.Order().Select(tool => new RoutedTool(index.Profiles[tool], tool, 0, 0, 0, ToolInclusion.Always))],
            Candidates = candidates,
            Abstained = abstained,
            Confidence = confidence,
            Threshold = options.Calibration.Threshold,
            Margin = hits.Length > 1 ? 1 - MathF.Exp(hits[1].Score - hits[0].Score) : 1,
            CatalogueSize = index.Count,
            Reason = (abstained
                ? $"No tool fits: the best of {index.Count}, {candidates[0].Name}, has a confidence of {confidence:0.00}, below {options.Calibration.Threshold:0.00}."
                : $"{kept} of {index.Count} tools fit: the best is {candidates[0].Name} at {candidates[0].Score:0.00}{margin}.") + note,
        };
    }

    public static RoutingDecision All(ToolEntry[] entries, string reason, Exception? error) => new()
    {
        Tools = [.. entries.Select((entry, i) => new RoutedTool(entry.Profile, i, 0, 0, 0, ToolInclusion.All))],
        CatalogueSize = entries.Length,
        Reason = reason,
        Error = error,
    };

    /// <summary>Adds the tools that must be there whatever the question.</summary>
    public static RoutingDecision With(RoutingDecision decision, ToolEntry[] entries, ToolRouterOptions options, ChatOptions? chat, IReadOnlySet<string> sticky)
    {
        string? required = (chat?.ToolMode as RequiredChatToolMode)?.RequiredFunctionName;
        HashSet<int> there = [.. decision.Tools.Select(tool => tool.Index)];
        List<RoutedTool> tools = [.. decision.Tools];
        for (int i = 0; i < entries.Length; i++)
        {
            ToolProfile profile = entries[i].Profile;
            ToolInclusion why = profile.Name == required ? ToolInclusion.Required
                : options.AlwaysInclude?.Invoke(profile) is true ? ToolInclusion.Always
                : sticky.Contains(profile.Name) || sticky.Contains(profile.QualifiedName) ? ToolInclusion.Sticky
                : ToolInclusion.None;
            if (why != ToolInclusion.None && there.Add(i))
            {
                tools.Add(new RoutedTool(profile, i, 0, 0, 0, why));
            }
        }

        return tools.Count == decision.Tools.Count ? decision : decision with { Tools = tools };
    }

    // A tool is worth its place when its chance to be the one meant is: the less sure the question, the longer the list, without a tail of tools that no one means.
    // Measured better than a fixed length, a distance to the best tool, or a sum of chances.
    private static int Length(ReadOnlySpan<ToolHit> hits, ToolRouterOptions options)
    {
        float sum = 0;
        foreach (ToolHit hit in hits)
        {
            sum += MathF.Exp(hit.Score - hits[0].Score);
        }

        int kept = 0;
        while (kept < Math.Min(hits.Length, options.MaximumTools) && (kept < options.MinimumTools || MathF.Exp(hits[kept].Score - hits[0].Score) >= options.Calibration.MinimumChance * sum))
        {
            kept++;
        }

        return kept;
    }
}
