using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SkMmBert;

/// <summary>Where the library's traces and metrics come from; both are named SkMmBert.</summary>
internal static class SkMmBertTelemetry
{
    public const string Name = "SkMmBert";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);
}
