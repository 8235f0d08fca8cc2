using System.Runtime.CompilerServices;

namespace SkMmBert.Tests;

/// <summary>Where things of the repository lie.</summary>
internal static class Paths
{
    public static string Root { get; } = FindRoot();

    public static string Goldens { get; } = Path.Combine(Root, "tests", "reference", "goldens");

    public static string MiniEmbed { get; } = Path.Combine(Root, "models", "mini-embed");

    public static string MiniRerank { get; } = Path.Combine(Root, "models", "mini-rerank");

    /// <summary>The folder beside the repository that holds the full-size tokenizer and the evaluation sets; null in a lone clone.</summary>
    public static string? Shared { get; } = Directory.Exists(Path.Combine(Root, "..", "shared")) ? Path.GetFullPath(Path.Combine(Root, "..", "shared")) : null;

    private static string FindRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
