using Microsoft.Extensions.AI;

namespace SkMmBert.Tests.Routing;

/// <summary>Catalogues for tests: every tool has words of its own.</summary>
internal static class TestTools
{
    private static readonly string[] s_verbs = ["create", "delete", "list", "rename", "share", "archive", "export", "approve", "schedule", "translate"];

    private static readonly string[] s_nouns =
        ["invoice", "calendar", "playlist", "ticket", "customer", "shipment", "recipe", "vehicle", "flight", "contract", "backup", "photo", "survey", "apartment", "prescription", "parcel", "lecture", "budget", "sensor", "poem"];

    public static AIFunction Tool(string name, string? description = null, Func<string>? run = null, IReadOnlyDictionary<string, object?>? properties = null) =>
        AIFunctionFactory.Create(run ?? (() => $"{name} done"), new AIFunctionFactoryOptions { Name = name, Description = description, AdditionalProperties = properties });

    /// <summary>Up to 200 tools, new instances with each call.</summary>
    public static List<AITool> Many(int count = 200) =>
        [.. Enumerable.Range(0, count).Select(i => (AITool)Tool(Name(i), $"Use this to {s_verbs[i % 10]} a {s_nouns[i / 10 % 20]}."))];

    public static string Name(int i) => $"{s_verbs[i % 10]}_{s_nouns[i / 10 % 20]}";

    public static string Question(int i) => $"Could you {s_verbs[i % 10]} the {s_nouns[i / 10 % 20]} for me?";

    public static ToolRouter Router(NgramEmbedder? embedder = null, ToolRouterOptions? options = null, int count = 200) =>
        new(embedder ?? new NgramEmbedder(), Many(count), options);
}
