using System.Runtime.CompilerServices;

namespace SkMmBert.Benchmarks;

/// <summary>Where things of the repository lie.</summary>
internal static class BenchmarkPaths
{
    public static string Root { get; } = FindRoot();

    public static string Goldens { get; } = Path.Combine(Root, "tests", "reference", "goldens");

    public static string Artifacts { get; } = Path.Combine(Root, "artifacts");

    public static string MiniEmbed { get; } = Path.Combine(Root, "models", "mini-embed");

    private static string FindRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
