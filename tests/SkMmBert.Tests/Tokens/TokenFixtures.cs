using System.IO.Compression;
using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests.Tokens;

/// <summary>Tokenizers and reference cases that several test classes use; each is opened once.</summary>
internal static class TokenFixtures
{
    private static readonly Lazy<string> _fullSizeFile = new(Unpack);
    private static readonly Lazy<TextTokenizer> _fullSize = new(() => TextTokenizer.Open(_fullSizeFile.Value));

    public static TextTokenizer Tiny { get; } = TextTokenizer.Open(TinyFile);

    public static TextTokenizer Mini { get; } = TextTokenizer.Open(Path.Combine(Paths.MiniEmbed, "tokenizer.json"));

    public static string TinyFile => Path.Combine(Paths.Goldens, "tiny-modernbert", "model", "tokenizer.json");

    public static string BertFile => Path.Combine(Paths.Goldens, "tiny-bert-2d", "model", "tokenizer.json");

    /// <summary>The full-size tokenizer; skips the test where it is not there.</summary>
    public static TextTokenizer FullSize
    {
        get
        {
            SkipWithoutShared();
            return _fullSize.Value;
        }
    }

    /// <summary>The unpacked full-size tokenizer.json; skips the test where it is not there.</summary>
    public static string FullSizeFile
    {
        get
        {
            SkipWithoutShared();
            return _fullSizeFile.Value;
        }
    }

    public static IEnumerable<JsonElement> Golden(string name) => Lines(Path.Combine(Paths.Goldens, name));

    public static IEnumerable<JsonElement> Parity()
    {
        SkipWithoutShared();
        return Lines(Path.Combine(Paths.Shared!, "reference", "tokenizer", "parity.jsonl.gz"));
    }

    public static string Text(this JsonElement row, string key = "text") => row.TryGetProperty(key, out JsonElement text)
        ? text.GetString()!
        : new string([.. row.GetProperty("utf16").EnumerateArray().Select(u => (char)u.GetInt32())]);

    public static int[] Ids(this JsonElement row, string key) => [.. row.GetProperty(key).EnumerateArray().Select(i => i.GetInt32())];

    public static TokenOffset[] Offsets(this JsonElement row, string key) =>
        [.. row.GetProperty(key).EnumerateArray().Select(o => new TokenOffset(o[0].GetInt32(), o[1].GetInt32()))];

    private static void SkipWithoutShared() => Assert.SkipWhen(Paths.Shared is null, "The full-size tokenizer lies beside the repository, and this is a lone clone.");

    private static IEnumerable<JsonElement> Lines(string path)
    {
        using GZipStream unpacked = new(File.OpenRead(path), CompressionMode.Decompress);
        using StreamReader reader = new(unpacked);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument row = JsonDocument.Parse(line);
            yield return row.RootElement.Clone();
        }
    }

    private static string Unpack()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("skmmbert-tokens-").FullName, "tokenizer.json");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        using GZipStream unpacked = new(File.OpenRead(Path.Combine(Paths.Shared!, "reference", "tokenizer", "tokenizer.json.gz")), CompressionMode.Decompress);
        using FileStream file = File.Create(path);
        unpacked.CopyTo(file);
        return path;
    }
}
