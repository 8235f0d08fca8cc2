using System.Text.Json;

namespace SkMmBert;

/// <summary>Texts and questions with the texts that answer them.</summary>
/// <param name="Name">The set's name: its folder, and the part of it.</param>
/// <param name="Items">The texts; metadata <c>conversation</c> names what they belong to, where they belong to something.</param>
/// <param name="Questions">The questions.</param>
internal sealed record EvaluationSet(string Name, IReadOnlyList<MemoryItem> Items, IReadOnlyList<EvaluationQuestion> Questions)
{
    public const string Conversation = "conversation";

    /// <summary>Reads the sets of a folder and of the folders in it: <c>turns.jsonl</c> with <c>questions.jsonl</c>, or <c>[part.]docs.jsonl</c> with <c>[part.]queries.jsonl</c>.</summary>
    /// <exception cref="InvalidDataException">There is no such set, or a line is not of its kind.</exception>
    public static IReadOnlyList<EvaluationSet> Load(string folder)
    {
        List<EvaluationSet> sets = [];
        foreach (string inner in (string[])[folder, .. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)])
        {
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(inner)));
            if (File.Exists(Path.Combine(inner, "turns.jsonl")) && File.Exists(Path.Combine(inner, "questions.jsonl")))
            {
                sets.Add(new(name, [.. Lines(inner, "turns.jsonl", Turn)], [.. Lines(inner, "questions.jsonl", Question).Where(question => question.Relevant.Count > 0)]));
            }

            foreach (string texts in Directory.GetFiles(inner, "*docs.jsonl").Order(StringComparer.Ordinal))
            {
                string part = Path.GetFileName(texts)[..^"docs.jsonl".Length];
                if (File.Exists(Path.Combine(inner, $"{part}queries.jsonl")))
                {
                    sets.Add(new($"{name}{(part.Length == 0 ? "" : $"/{part.TrimEnd('.')}")}", [.. Lines(inner, $"{part}docs.jsonl", Text)], [.. Lines(inner, $"{part}queries.jsonl", Query)]));
                }
            }
        }

        return sets.Count > 0 ? sets : throw new InvalidDataException(
            $"'{folder}' holds no evaluation set. Expected, in it or in its folders, turns.jsonl and questions.jsonl, or docs.jsonl and queries.jsonl.");
    }

    private static IEnumerable<T> Lines<T>(string folder, string file, Func<JsonElement, T> read)
    {
        int number = 0;
        foreach (string line in File.ReadLines(Path.Combine(folder, file)))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            T value;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                value = read(document.RootElement);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                throw new InvalidDataException($"'{Path.Combine(folder, file)}' line {number} is not of this set's kind: {error.Message}", error);
            }

            yield return value;
        }
    }

    private static MemoryItem Turn(JsonElement turn) => new()
    {
        Id = Id(turn.GetProperty("id")),
        Text = turn.GetProperty("text").GetString()!,
        Metadata = new Dictionary<string, string> { [Conversation] = turn.GetProperty("session").GetString()! },
    };

    private static EvaluationQuestion Question(JsonElement question) => new(
        question.GetProperty("question").GetString()!, question.GetProperty("evidence").EnumerateArray().ToDictionary(Id, _ => 1.0));

    private static MemoryItem Text(JsonElement text)
    {
        string title = text.TryGetProperty("title", out JsonElement found) ? $"{found.GetString()}\n" : "";
        return new() { Id = Id(text.GetProperty("id")), Text = title + text.GetProperty("text").GetString() };
    }

    private static EvaluationQuestion Query(JsonElement query)
    {
        JsonElement relevant = query.GetProperty("relevant");
        return new(query.GetProperty("query").GetString()!, relevant.ValueKind == JsonValueKind.Array
            ? relevant.EnumerateArray().Select(Id).Distinct().ToDictionary(id => id, _ => 1.0)
            : relevant.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetDouble()));
    }

    private static string Id(JsonElement id) => id.ValueKind == JsonValueKind.String ? id.GetString()! : id.GetRawText();
}

/// <summary>A question with the gain of each text that answers it.</summary>
internal sealed record EvaluationQuestion(string Text, IReadOnlyDictionary<string, double> Relevant);
