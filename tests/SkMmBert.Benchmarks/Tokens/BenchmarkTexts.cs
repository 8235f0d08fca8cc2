using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace SkMmBert.Benchmarks.Tokens;

/// <summary>The texts that are timed.</summary>
/// <param name="Mixed">Sentences of 112 languages and documents of six, shuffled.</param>
/// <param name="Unique">Every word of the mixed texts once, so that no cache ever hits.</param>
/// <param name="English">English sentences.</param>
internal sealed record BenchmarkTexts(string[] Mixed, string[] Unique, string[] English)
{
    /// <summary>The parity corpus, and the development sets where <paramref name="data"/> is their unpacked folder.</summary>
    public static BenchmarkTexts Read(string shared, string? data)
    {
        List<string> mixed = [.. Parity(shared).Where(r => r.TryGetProperty("text", out _)).Select(r => r.GetProperty("text").GetString()!)];
        List<string> english = [.. Parity(shared).Where(r => r.TryGetProperty("lang", out JsonElement lang) && lang.GetString() == "eng" && r.TryGetProperty("text", out _)).Select(r => r.GetProperty("text").GetString()!)];
        if (data is not null)
        {
            foreach (string file in Directory.EnumerateFiles(data, "*.docs.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                mixed.AddRange(File.ReadLines(file).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()!));
            }

            foreach (string file in Directory.EnumerateFiles(Path.Combine(data, "tatoeba_laser", "dev"), "*.tsv").Order(StringComparer.Ordinal))
            {
                mixed.AddRange(File.ReadLines(file));
            }

            english = [.. File.ReadLines(Path.Combine(data, "npl", "docs.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()!)];
            english.AddRange(Directory.EnumerateFiles(Path.Combine(data, "sts12_16"), "*.tsv").Order(StringComparer.Ordinal).SelectMany(File.ReadLines));
        }

        Random random = new(7);
        string[] shuffled = [.. mixed];
        random.Shuffle(shuffled);
        string[] words = [.. shuffled.SelectMany(t => t.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)).Distinct()];
        return new BenchmarkTexts(shuffled, [.. words.Chunk(40).Select(w => string.Join(' ', w))], [.. english]);
    }

    public static long Bytes(IEnumerable<string> texts) => texts.Sum(t => (long)Encoding.UTF8.GetByteCount(t));

    public static IEnumerable<JsonElement> Parity(string shared)
    {
        using GZipStream unpacked = new(File.OpenRead(Path.Combine(shared, "reference", "tokenizer", "parity.jsonl.gz")), CompressionMode.Decompress);
        using StreamReader reader = new(unpacked);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument row = JsonDocument.Parse(line);
            yield return row.RootElement.Clone();
        }
    }
}
