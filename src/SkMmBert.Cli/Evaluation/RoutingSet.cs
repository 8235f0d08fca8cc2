using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>A catalogue with questions and the tools that fit them; a question with none asks for no tool.</summary>
internal sealed record RoutingSet(string Name, IReadOnlyList<ToolProfile> Tools, IReadOnlyList<RoutingQuery> Queries)
{
    /// <summary>The routing sets of a folder: each folder in it (or itself) with <c>tools.jsonl</c> and <c>queries*.jsonl</c>, and files of labelled utterances, whose labels are the tools: bare, and with some of the utterances as examples.</summary>
    public static IEnumerable<RoutingSet> All(string data)
    {
        foreach (string folder in Directory.GetDirectories(data).Prepend(data).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(Path.GetFullPath(folder));
            if (File.Exists(Path.Combine(folder, "tools.jsonl")))
            {
                ToolProfile[] tools = [.. Rows(Path.Combine(folder, "tools.jsonl")).Select(ToolProfile.FromJson)];
                foreach (string file in Directory.GetFiles(folder, "queries*.jsonl").Order(StringComparer.Ordinal))
                {
                    string part = Path.GetFileNameWithoutExtension(file)["queries".Length..].Trim('_', '.', '-');
                    yield return Of(part.Length > 0 ? $"{name}/{part}" : name, tools, Rows(file).Select(row =>
                        (row.GetProperty("query").GetString()!, row.TryGetProperty("tools", out JsonElement gold) ? gold.EnumerateArray().Select(tool => tool.GetString()!).ToArray() : [])));
                }

                continue;
            }

            foreach (string file in Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal).Where(IsLabelled))
            {
                (string Text, string Label)[] rows = Labelled(file);
                IGrouping<string, string>[] labels = [.. rows.Where(row => row.Label != "oos").GroupBy(row => row.Label, row => row.Text).OrderBy(label => label.Key, StringComparer.Ordinal)];
                string set = $"{name}/{Path.GetFileNameWithoutExtension(file)}";
                yield return Of(set, [.. labels.Select(label => new ToolProfile(label.Key))], labels.SelectMany(label => label.Select(text => (text, new[] { label.Key }))));
                yield return Of($"{set} with examples", [.. labels.Select(label => new ToolProfile(label.Key) { Examples = [.. label.Take(Examples(label))] })],
                    labels.SelectMany(label => label.Skip(Examples(label)).Select(text => (text, new[] { label.Key }))));
            }
        }
    }

    /// <summary>Utterances with their labels; <c>oos</c> for those that fit none.</summary>
    public static (string Text, string Label)[] Labelled(string file) =>
        [.. Rows(file).Select(row => (row.GetProperty("text").GetString()!, row.GetProperty("label").GetString()!))];

    /// <summary>At most so many questions, evenly taken.</summary>
    public RoutingSet Take(int most) => Queries.Count <= most ? this : this with { Queries = [.. Enumerable.Range(0, most).Select(i => Queries[(int)((long)i * Queries.Count / most)])] };

    private static RoutingSet Of(string name, ToolProfile[] tools, IEnumerable<(string Query, string[] Tools)> queries)
    {
        ILookup<string, int> byName = Enumerable.Range(0, tools.Length).ToLookup(i => tools[i].Name);

        // A question whose tools are not in the catalogue measures nothing.
        return new RoutingSet(name, tools, [.. queries
            .Select(query => new RoutingQuery(query.Query, [.. query.Tools.SelectMany(tool => byName[tool]).Distinct()]))
            .Where(query => query.Relevant.Count > 0)]);
    }

    // The first ten utterances of a label, or the first half of fewer than twenty.
    private static int Examples(IEnumerable<string> label) => Math.Min(10, label.Count() / 2);

    private static bool IsLabelled(string file) => File.ReadLines(file).FirstOrDefault() is { } line && line.Contains("\"label\"", StringComparison.Ordinal) && line.Contains("\"text\"", StringComparison.Ordinal);

    private static IEnumerable<JsonElement> Rows(string file) => File.ReadLines(file).Where(line => !string.IsNullOrWhiteSpace(line)).Select(line => JsonElement.Parse(line));
}

/// <summary>A question and the places of its tools in the catalogue.</summary>
internal sealed record RoutingQuery(string Text, IReadOnlyCollection<int> Relevant);
