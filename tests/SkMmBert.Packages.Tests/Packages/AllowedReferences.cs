namespace SkMmBert.Packages.Tests.Packages;

/// <summary>What each project may bring with it; a star stands for any part of a name.</summary>
internal static class AllowedReferences
{
    // Native code is the application's choice; only the tool brings its own.
    public static readonly IReadOnlyDictionary<string, string[]> ByProject = new Dictionary<string, string[]>
    {
        ["SkMmBert"] = ["Microsoft.Extensions.AI.Abstractions", "Microsoft.ML.OnnxRuntime.Managed", "System.Numerics.Tensors"],
        ["SkMmBert.Hub"] = ["SkMmBert"],
        ["SkMmBert.Hosting"] = ["SkMmBert", "Microsoft.Extensions.*.Abstractions", "Microsoft.Extensions.Options"],
        ["SkMmBert.Sqlite"] = ["SkMmBert", "SkMmBert.Hosting", "Microsoft.Data.Sqlite.Core", "SQLitePCLRaw.bundle_e_sqlite3"],
        ["SkMmBert.Postgres"] = ["SkMmBert", "SkMmBert.Hosting", "Npgsql", "Pgvector"],
        ["SkMmBert.SemanticKernel"] = ["SkMmBert", "SkMmBert.Hosting", "SkMmBert.Sqlite", "Microsoft.SemanticKernel.*", "Microsoft.Extensions.AI", "Microsoft.Extensions.VectorData.Abstractions", "Microsoft.ML.Tokenizers"],
        ["SkMmBert.AgentFramework"] = ["SkMmBert", "SkMmBert.Hosting", "Microsoft.Agents.AI.Abstractions"],
        ["SkMmBert.Server"] = ["SkMmBert", "SkMmBert.Hosting", "ModelContextProtocol*", "OpenTelemetry*"],
        ["SkMmBert.Mini"] = [],
        ["SkMmBert.Cli"] = ["SkMmBert", "SkMmBert.Hub", "SkMmBert.Hosting", "SkMmBert.Sqlite", "SkMmBert.Postgres", "SkMmBert.Server", "Microsoft.ML.OnnxRuntime", "System.CommandLine", "Spectre.Console"],
    };

    public static bool Allows(string project, string reference) => ByProject.TryGetValue(project, out string[]? patterns) && patterns.Any(pattern => Fits(reference, pattern));

    private static bool Fits(string id, string pattern) => pattern.Split('*') is [var start, var end]
        ? id.Length >= start.Length + end.Length && id.StartsWith(start, StringComparison.Ordinal) && id.EndsWith(end, StringComparison.Ordinal)
        : id == pattern;
}
