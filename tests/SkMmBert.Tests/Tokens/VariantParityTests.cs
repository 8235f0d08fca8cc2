using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace SkMmBert.Tests.Tokens;

/// <summary>Pipelines that no package here has: <c>variants.jsonl.gz</c> is what Hugging Face's library gives (peers/variants.mjs).</summary>
public sealed class VariantParityTests
{
    [Fact]
    public void Encode_OtherPipelines_IdsOffsetsAndTextEqualReference()
    {
        Mismatches mismatches = new();
        foreach (IGrouping<string, JsonElement> variant in Rows().GroupBy(r => r.Text("kind") + " " + r.Text("name")))
        {
            TextTokenizer tokenizer = Open(variant.First());
            foreach (JsonElement row in variant)
            {
                string text = row.Text();
                EncodedText encoded = row.TryGetProperty("pair", out JsonElement pair) ? tokenizer.EncodePair(text, pair.GetString()!) : tokenizer.Encode(text);
                mismatches.Compare(variant.Key + " ids", text, row.Ids("ids"), encoded.Ids);
                mismatches.Compare(variant.Key + " offsets", text, row.Offsets("offsets"), encoded.Offsets);
                mismatches.Compare(variant.Key + " decoded", text, [row.Text("decoded")], [tokenizer.Decode(encoded.Ids)]);
            }
        }

        mismatches.AssertNone(3 * 24 * 41);
    }

    private static IEnumerable<JsonElement> Rows([CallerFilePath] string here = "") =>
        TokenFixtures.Golden(Path.GetRelativePath(Paths.Goldens, Path.Combine(Path.GetDirectoryName(here)!, "variants.jsonl.gz")));

    private static TextTokenizer Open(JsonElement row)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(row.Text("kind") == "bpe" ? TokenFixtures.TinyFile : TokenFixtures.BertFile))!;
        foreach (JsonProperty change in row.GetProperty("changes").EnumerateObject())
        {
            string[] keys = change.Name.Split('.');
            (keys.Length == 1 ? root : root[keys[0]]!)[keys[^1]] = JsonNode.Parse(change.Value.GetRawText());
        }

        string file = Path.Combine(Path.GetTempPath(), $"skmmbert-{Guid.NewGuid():N}.json");
        File.WriteAllText(file, root.ToJsonString());
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        File.Delete(file);
        return tokenizer;
    }
}
