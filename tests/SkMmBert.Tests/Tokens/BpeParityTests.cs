using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class BpeParityTests
{
    [Fact]
    public void Encode_ParityCorpus_IdsEqualReference()
    {
        TextTokenizer tokenizer = TokenFixtures.FullSize;
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Parity())
        {
            string id = $"{row.GetProperty("id")}";
            string text = row.Text();
            if (row.TryGetProperty("pair", out JsonElement pair))
            {
                string second = pair.GetString()!;
                mismatches.Compare(id, text, row.Ids("ids_a"), tokenizer.Encode(text, addSpecialTokens: false).Ids);
                mismatches.Compare(id, second, row.Ids("ids_b"), tokenizer.Encode(second, addSpecialTokens: false).Ids);
                mismatches.Compare(id, text + " | " + second, row.Ids("ids"), tokenizer.EncodePair(text, second).Ids);
            }
            else
            {
                mismatches.Compare(id, text, row.Ids("ids"), tokenizer.Encode(text, addSpecialTokens: false).Ids);
                mismatches.Compare(id, text, row.Ids("ids_with_specials"), tokenizer.Encode(text).Ids);
            }
        }

        mismatches.AssertNone(2 * 3_362 + 3 * 143);
    }

    [Fact]
    public void Encode_MaskWithoutLeftStrip_IdsEqualReference()
    {
        string file = Path.Combine(Path.GetDirectoryName(TokenFixtures.FullSizeFile)!, "mask-without-lstrip.json");
        File.WriteAllText(file, File.ReadAllText(TokenFixtures.FullSizeFile).Replace("\"lstrip\": true", "\"lstrip\": false").Replace("\"lstrip\":true", "\"lstrip\":false"));
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Parity().Where(r => r.TryGetProperty("ids_if_mask_lstrip_false", out _)))
        {
            mismatches.Compare($"{row.GetProperty("id")}", row.Text(), row.Ids("ids_if_mask_lstrip_false"), tokenizer.Encode(row.Text(), addSpecialTokens: false).Ids);
        }

        mismatches.AssertNone(26);
    }

    [Theory]
    [InlineData("tokenizer/adversarial.jsonl.gz", 350)]
    [InlineData("tokenizer/offsets.jsonl.gz", 286)]
    public void Encode_FullSizeGoldens_IdsAndOffsetsEqualReference(string golden, int rows) => CompareTexts(TokenFixtures.FullSize, golden, rows);

    [Fact]
    public void Encode_TinyGoldens_IdsAndOffsetsEqualReference() => CompareTexts(TokenFixtures.Tiny, "tokenizer/tiny.jsonl.gz", 600);

    [Fact]
    public void EncodePair_FullSizeGoldens_EveryLengthEqualsReference() => ComparePairs(TokenFixtures.FullSize, "tokenizer/pairs.jsonl.gz", 160);

    [Fact]
    public void EncodePair_TinyGoldens_EveryLengthEqualsReference() => ComparePairs(TokenFixtures.Tiny, "tokenizer/tiny-pairs.jsonl.gz", 60);

    [Fact]
    public void Encode_LongRuns_HashesEqualReference()
    {
        TextTokenizer tokenizer = TokenFixtures.FullSize;
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Golden("tokenizer/long.jsonl.gz"))
        {
            string text = string.Concat(Enumerable.Repeat(row.Text("repeat"), row.GetProperty("times").GetInt32()));
            int[] ids = tokenizer.Encode(text).Ids;
            string hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(ids)));
            mismatches.Compare(row.Text("repeat"), row.Text("repeat"), [row.GetProperty("count").GetInt32(), row.Text("sha256")], new object[] { ids.Length, hash });
        }

        mismatches.AssertNone(20);
    }

    [Fact]
    public void Encode_MiniConformance_IdsEqualReference()
    {
        Mismatches mismatches = new();
        using JsonDocument embed = JsonDocument.Parse(File.ReadAllText(Path.Combine(Paths.MiniEmbed, "conformance.json")));
        foreach (JsonElement row in embed.RootElement.GetProperty("cases").EnumerateArray())
        {
            mismatches.Compare("embed", row.Text(), row.Ids("ids"), TokenFixtures.Mini.Encode(row.Text()).Ids);
        }

        TextTokenizer rerank = TextTokenizer.Open(Path.Combine(Paths.MiniRerank, "tokenizer.json"));
        using JsonDocument pairs = JsonDocument.Parse(File.ReadAllText(Path.Combine(Paths.MiniRerank, "conformance.json")));
        foreach (JsonElement row in pairs.RootElement.GetProperty("cases").EnumerateArray())
        {
            mismatches.Compare("rerank", row.Text("query"), row.Ids("ids"), rerank.EncodePair(row.Text("query"), row.Text("document")).Ids);
        }

        mismatches.AssertNone(10);
    }

    private static void CompareTexts(TextTokenizer tokenizer, string golden, int rows)
    {
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Golden(golden))
        {
            EncodedText encoded = tokenizer.Encode(row.Text());
            string name = $"{(row.TryGetProperty("index", out JsonElement index) ? index : row.GetProperty("id"))}";
            mismatches.Compare(name + " ids", row.Text(), row.Ids("ids"), encoded.Ids);
            mismatches.Compare(name + " offsets", row.Text(), row.Offsets("offsets_utf16"), encoded.Offsets);
        }

        mismatches.AssertNone(2 * rows);
    }

    private static void ComparePairs(TextTokenizer tokenizer, string golden, int rows)
    {
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Golden(golden))
        {
            string first = row.Text("a");
            string second = row.Text("b");
            EncodedText whole = tokenizer.EncodePair(first, second);
            mismatches.Compare("pair", first + " | " + second, row.Ids("ids"), whole.Ids);
            Assert.False(whole.Truncated);
            mismatches.Compare("first", first, row.Ids("ids_a"), tokenizer.Encode(first).Ids);
            foreach (JsonProperty cut in row.GetProperty("truncated").EnumerateObject())
            {
                EncodedText encoded = tokenizer.EncodePair(first, second, int.Parse(cut.Name));
                Assert.True(encoded.Truncated);
                mismatches.Compare("pair cut to " + cut.Name, first + " | " + second, [.. cut.Value.EnumerateArray().Select(i => i.GetInt32())], encoded.Ids);
                Assert.Equal(encoded.Ids, JoinEncoded(tokenizer, first, second, int.Parse(cut.Name)));
            }

            foreach (JsonProperty cut in row.GetProperty("truncated_a").EnumerateObject())
            {
                EncodedText encoded = tokenizer.Encode(first, int.Parse(cut.Name));
                Assert.True(encoded.Truncated);
                mismatches.Compare("first cut to " + cut.Name, first, [.. cut.Value.EnumerateArray().Select(i => i.GetInt32())], encoded.Ids);
            }
        }

        mismatches.AssertNone(2 * rows);
    }

    private static int[] JoinEncoded(TextTokenizer tokenizer, string first, string second, int length)
    {
        int[] joined = new int[length];
        return joined[..tokenizer.AddSpecialTokens(tokenizer.Encode(first, addSpecialTokens: false).Ids, tokenizer.Encode(second, addSpecialTokens: false).Ids, joined, length)];
    }
}
