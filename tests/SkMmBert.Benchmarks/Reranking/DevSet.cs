using System.Text.Json;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>One evaluation set: texts, and queries with the texts that are relevant.</summary>
internal sealed record DevSet(string Name, string[] Texts, (string Query, Dictionary<int, float> Gains)[] Queries)
{
    public static readonly string[] Names = ["npl", "toolbench_stable", "mqa_ja", "mqa_tr", "mqa_zh", "mqa_zh-hant", "mqa_ar", "mqa_fa"];

    public static DevSet Load(string data, string name)
    {
        if (name == "toolbench_stable")
        {
            JsonElement[] tools = Lines(Path.Combine(data, name, "tools.jsonl"));
            return Of(name, tools, "name", tool => $"{tool.GetProperty("name").GetString()}: {tool.GetProperty("description").GetString()}", Lines(Path.Combine(data, name, "queries.jsonl")), "tools");
        }

        (string folder, string prefix) = name.StartsWith("mqa_", StringComparison.Ordinal) ? ("mqa_dev", name[4..] + ".") : (name, "");
        return Of(name, Lines(Path.Combine(data, folder, prefix + "docs.jsonl")), "id", text => text.GetProperty("text").GetString()!, Lines(Path.Combine(data, folder, prefix + "queries.jsonl")), "relevant");
    }

    /// <summary>Every n-th query, so that a sample spreads over the set.</summary>
    public DevSet Sample(int count)
    {
        int step = Math.Max(1, Queries.Length / count);
        return this with { Queries = [.. Queries.Where((_, i) => i % step == 0).Take(count)] };
    }

    private static DevSet Of(string name, JsonElement[] texts, string key, Func<JsonElement, string> text, JsonElement[] queries, string relevant)
    {
        Dictionary<string, int> places = texts.Select((element, i) => (Id: element.GetProperty(key).GetString()!, i)).GroupBy(pair => pair.Id).ToDictionary(group => group.Key, group => group.First().i);
        return new DevSet(name, [.. texts.Select(text)], [.. queries.Select(query => (query.GetProperty("query").GetString()!, Gains(query.GetProperty(relevant))))]);

        Dictionary<int, float> Gains(JsonElement listed) => (listed.ValueKind == JsonValueKind.Array
            ? listed.EnumerateArray().Select(id => (Id: id.GetString()!, Gain: 1f))
            : listed.EnumerateObject().Select(pair => (Id: pair.Name, Gain: pair.Value.GetSingle())))
            .Where(pair => places.ContainsKey(pair.Id)).DistinctBy(pair => places[pair.Id]).ToDictionary(pair => places[pair.Id], pair => pair.Gain);
    }

    private static JsonElement[] Lines(string path) => [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
}
