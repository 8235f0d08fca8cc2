using System.Text.Json;

namespace SkMmBert.Benchmarks.Tokens;

/// <summary>Compares our ids and offsets with cases that <c>peers/cases.mjs</c> wrote with Hugging Face's own library.</summary>
internal static class TokenComparison
{
    public static int Run(string[] args)
    {
        if (args.Length != 2)
        {
            Console.Error.WriteLine("Expected: tokens-compare TOKENIZER CASES.");
            return 2;
        }

        TextTokenizer tokenizer = TextTokenizer.Open(args[0]);
        int compared = 0;
        int different = 0;
        foreach (string line in File.ReadLines(args[1]))
        {
            using JsonDocument row = JsonDocument.Parse(line);
            JsonElement root = row.RootElement;
            string text = root.GetProperty("text").GetString()!;
            EncodedText found = root.TryGetProperty("pair", out JsonElement pair) ? tokenizer.EncodePair(text, pair.GetString()!) : tokenizer.Encode(text);
            int[] ids = [.. root.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32())];
            string expected = string.Join(' ', root.GetProperty("offsets").EnumerateArray().Select(o => $"{o[0]}-{o[1]}"));
            string offsets = string.Join(' ', found.Offsets.Select(o => $"{o.Start}-{o.End}"));
            string decoded = tokenizer.Decode(found.Ids);
            string plain = root.GetProperty("decoded").GetString()!;
            compared++;
            if (!ids.SequenceEqual(found.Ids) || expected != offsets || decoded != plain)
            {
                if (different++ < 5)
                {
                    Console.WriteLine($"{JsonSerializer.Serialize(text)}\n  expected {string.Join(' ', ids)}\n  found    {string.Join(' ', found.Ids)}\n  expected {expected}\n  found    {offsets}\n  expected {JsonSerializer.Serialize(plain)}\n  found    {JsonSerializer.Serialize(decoded)}");
                }
            }
        }

        Console.WriteLine($"{args[0]}: {compared} compared, {different} differ");
        return different == 0 ? 0 : 1;
    }
}
