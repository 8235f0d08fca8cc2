using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class WordPieceParityTests
{
    private static readonly TextTokenizer _bert = TextTokenizer.Open(TokenFixtures.BertFile);

    [Fact]
    public void Encode_AdversarialTexts_IdsAndOffsetsEqualReference()
    {
        Mismatches mismatches = new();
        foreach (JsonElement row in TokenFixtures.Golden("tiny-bert-2d/tokens.jsonl.gz"))
        {
            EncodedText encoded = _bert.Encode(row.Text());
            string name = $"{row.GetProperty("index")} {row.Text("kind")}";
            mismatches.Compare(name + " ids", row.Text(), row.Ids("ids"), encoded.Ids);
            mismatches.Compare(name + " offsets", row.Text(), row.Offsets("offsets_utf16"), encoded.Offsets);
        }

        mismatches.AssertNone(600);
    }

    [Fact]
    public void Encode_Cases_IdsEqualReference()
    {
        Mismatches mismatches = new();
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(Paths.Goldens, "tiny-bert-2d", "cases.json")));
        foreach (JsonElement row in cases.RootElement.GetProperty("texts").EnumerateArray())
        {
            mismatches.Compare($"{row.GetProperty("index")}", row.Text(), row.Ids("ids"), _bert.Encode(row.Text()).Ids);
        }

        mismatches.AssertNone(44);
    }
}
