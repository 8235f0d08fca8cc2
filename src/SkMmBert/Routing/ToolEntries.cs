using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What one router has read of tools, by instance: a catalogue handed over again and again is read once and may still be collected.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class ToolEntries
{
    private readonly ConditionalWeakTable<AITool, ToolEntry> _ofTools = [];

    public ToolEntry[] Of(IEnumerable<AITool> tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        return [.. tools.ToArray().Select(tool => _ofTools.GetValue(tool, static tool => new ToolEntry(ToolProfile.FromTool(tool))))];
    }

    public static ToolEntry[] Of(IEnumerable<ToolProfile> profiles)
    {
        ArgumentNullException.ThrowIfNull(profiles);
        return [.. profiles.Select(profile => new ToolEntry(profile))];
    }
}
