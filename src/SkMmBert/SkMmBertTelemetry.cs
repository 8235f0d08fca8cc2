using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SkMmBert;

/// <summary>The activity source and the meter of the core, both named <c>SkMmBert</c>.</summary>
internal static class SkMmBertTelemetry
{
    public const string Name = "SkMmBert";

    public static ActivitySource Activities { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);
}
