using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class TokenizerRefusalTests
{
    /// <summary>Which file, where in it, what is put there (JSON; empty: the key is taken away), and what the message must name.</summary>
    public static TheoryData<string, string, string, string> Changes => new()
    {
        { "bpe", "normalizer", """{"type":"NFKC"}""", "normalizer 'NFKC'" },
        { "bpe", "normalizer", """{"type":"Precompiled","precompiled_charsmap":"AA=="}""", "normalizer 'Precompiled'" },
        { "bpe", "normalizer", """{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Lowercase"}]}""", "normalizer 'Lowercase'" },
        { "bpe", "normalizer", """{"type":"Replace","pattern":{"Regex":" +"},"content":"▁"}""", "'pattern' must be a String" },
        { "bpe", "normalizer", """{"type":"Replace","pattern":{"String":"ab"},"content":"c"}""", "one character by one" },
        { "bpe", "normalizer", """{"type":"Replace","pattern":{"String":" "},"content":"▁","greedy":true}""", "the key 'greedy'" },
        { "bpe", "normalizer", "7", "normalizer must be an object" },
        { "bpe", "pre_tokenizer", """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""", "pre_tokenizer 'ByteLevel'" },
        { "bpe", "pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"▁"},{"type":"Digits","individual_digits":true}]}""", "2 pre-tokenizers in a row" },
        { "bpe", "pre_tokenizer", """{"type":"Split","pattern":{"String":"-"},"behavior":"Isolated","invert":false}""", "pre_tokenizer 'Split'" },
        { "bpe", "pre_tokenizer", """{"type":"Metaspace","replacement":"▁","prepend_scheme":"sometimes","split":true}""", "'sometimes'" },
        { "bpe", "pre_tokenizer", """{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true}""", "'replacement' must be one character" },
        { "bpe", "post_processor", """{"type":"ByteLevel","trim_offsets":true}""", "post_processor 'ByteLevel'" },
        { "bpe", "post_processor", """{"type":"RobertaProcessing","sep":["</s>",1],"cls":["<s>",2],"trim_offsets":true,"add_prefix_space":true}""", "'trim_offsets' must be false" },
        { "bpe", "post_processor", """{"type":"BertProcessing","sep":["</s>",999999],"cls":["<s>",2]}""", "id 999999" },
        { "bpe", "post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}}""", "'<s>', which is not in 'special_tokens'" },
        { "bpe", "post_processor", """{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}""", "text A once" },
        { "bpe", "decoder", """{"type":"BPEDecoder","suffix":"</w>"}""", "decoder 'BPEDecoder'" },
        { "bpe", "decoder", """{"type":"Sequence","decoders":[{"type":"CTC"}]}""", "decoder 'CTC'" },
        { "bpe", "model.type", "\"Unigram\"", "model 'Unigram'" },
        { "bpe", "model.type", "\"WordLevel\"", "model 'WordLevel'" },
        { "bpe", "model.type", "", "'type' is missing" },
        { "bpe", "model.dropout", "0.1", "'dropout' must be null" },
        { "bpe", "model.ignore_merges", "true", "'ignore_merges' must be false" },
        { "bpe", "model.continuing_subword_prefix", "\"##\"", "'continuing_subword_prefix' must be null" },
        { "bpe", "model.end_of_word_suffix", "\"</w>\"", "'end_of_word_suffix' must be null" },
        { "bpe", "model.unk_token", "\"<nothing>\"", "'<nothing>' is not in the vocabulary" },
        { "bpe", "model.merges", """[["zz","qq"]]""", "'zz', which is not in the vocabulary" },
        { "bpe", "model.merges", """["a b c"]""", "two pieces parted by one space" },
        { "bpe", "model.merges", """[["a"]]""", "where ',' is expected" },
        { "bpe", "model.merges", "", "'merges' are missing" },
        { "bpe", "model.vocab", """{"a":0,"b":0}""", "gives id 0 to two pieces" },
        { "bpe", "model.vocab", """{"a":0,"\u0061":1}""", "twice" },
        { "bpe", "model.vocab", """{"a":2000000000}""", "ids must lie close together" },
        { "bpe", "model.vocab", """{"a":-1}""", "a whole number" },
        { "bpe", "model.vocab", """{"a":1.5}""", "a whole number" },
        { "bpe", "model.vocab", """[["a",0]]""", "'vocab' is missing" },
        { "bpe", "model", "", "it has no 'model'" },
        { "bpe", "added_tokens", """[{"id":7,"content":"<bos>","special":true}]""", "'<bos>' has id 7; 2, its id in the vocabulary" },
        { "bpe", "added_tokens", """[{"id":2000000000,"content":"<new>","special":true}]""", "'<new>' has id 2000000000" },
        { "bpe", "added_tokens", """[{"id":2,"content":"<bos>","lstrip":"yes"}]""", "'lstrip' must be true or false" },
        { "bpe", "added_tokens", """{"<bos>":2}""", "'added_tokens' must be an array" },
        { "bert", "normalizer", """{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]}""", "normalizer 'NFD'" },
        { "bert", "pre_tokenizer", """{"type":"Whitespace"}""", "pre_tokenizer 'Whitespace'" },
        { "bert", "pre_tokenizer", "null", "pre_tokenizer" },
        { "bert", "model.unk_token", "\"[NOPE]\"", "'[NOPE]' is not in the vocabulary" },
        { "bert", "model.max_input_chars_per_word", "-3", "'max_input_chars_per_word'" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Open_UnknownOrBrokenPart_IsRefusedByName(string kind, string where, string json, string named)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(kind == "bpe" ? TokenFixtures.TinyFile : TokenFixtures.BertFile))!;
        string[] keys = where.Split('.');
        JsonObject parent = keys.Length == 1 ? root.AsObject() : root[keys[0]]!.AsObject();
        string text = "\"HERE\"";
        if (json.Length == 0)
        {
            parent.Remove(keys[^1]);
        }
        else
        {
            parent[keys[^1]] = "HERE";
        }

        AssertRefused(Encoding.UTF8.GetBytes(root.ToJsonString().Replace(text, json)), named);
    }

    [Theory]
    [InlineData("", "ends where '{' is expected")]
    [InlineData("[]", "found '[' where '{' is expected")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0", "ends where '}' is expected")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a", "a string is not closed")]
    [InlineData("{\"model\":{\"vocab\":{\"\\x\":0}}}", "is not an escape")]
    [InlineData("{\"model\":{\"vocab\":{\"\\uD800\":0}}}", "without its partner")]
    [InlineData("{\"model\":{\"vocab\":{\"\\u12G4\":0}}}", "four hexadecimal digits")]
    [InlineData("{\"model\":{\"vocab\":{\"a\n\":0}}}", "control character")]
    [InlineData("{\"model\":{\"vocab\":{\"a\":0}}} x", "after the closing brace")]
    [InlineData("{\"version\":tru}", "'version' is not valid JSON")]
    [InlineData("{\"version\":\"1.0\",\"version\":\"1.0\"}", "twice")]
    [InlineData("{\"model\":{},\"a\":}", "a value is expected")]
    public void Open_MalformedJson_IsRefusedInOneLine(string json, string named) => AssertRefused(Encoding.UTF8.GetBytes(json), named);

    [Fact]
    public void Open_DeepNesting_IsRefused() => AssertRefused(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 1_000_000)), "nested more than 64 deep");

    [Fact]
    public void Open_InvalidUtf8_IsRefused() => AssertRefused([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8], "not valid UTF-8");

    [Fact]
    public void Open_MissingFile_NamesIt() =>
        Assert.Contains("no-such.json", Assert.Throws<FileNotFoundException>(() => TextTokenizer.Open(Path.Combine(Path.GetTempPath(), "no-such.json"))).Message);

    [Theory]
    [InlineData("merges before the vocabulary")]
    [InlineData("merges as strings")]
    public void Open_OtherOrderOrForm_GivesTheSameIds(string form)
    {
        JsonObject root = JsonNode.Parse(File.ReadAllText(TokenFixtures.TinyFile))!.AsObject();
        JsonObject model = root["model"]!.AsObject();
        JsonArray merges = model["merges"]!.AsArray();
        model.Remove("merges");
        if (form == "merges as strings")
        {
            model["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)$"{m![0]} {m[1]}")]);
        }
        else
        {
            model.Insert(0, "merges", merges.DeepClone());
        }

        string file = Write(Encoding.UTF8.GetBytes(root.ToJsonString()));
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        File.Delete(file);

        foreach (string text in TokenFixtures.Golden("tokenizer/tiny.jsonl.gz").Select(r => r.Text()))
        {
            Assert.Equal(TokenFixtures.Tiny.Encode(text).Ids, tokenizer.Encode(text).Ids);
        }
    }

    private static void AssertRefused(byte[] json, string named)
    {
        string file = Write(json);

        string message = Assert.Throws<InvalidDataException>(() => TextTokenizer.Open(file)).Message;
        File.Delete(file);

        Assert.Contains(named, message);
        Assert.Contains(file, message);
        Assert.DoesNotContain('\n', message);
    }

    private static string Write(byte[] json)
    {
        string file = Path.Combine(Path.GetTempPath(), $"skmmbert-{Guid.NewGuid():N}.json");
        File.WriteAllBytes(file, json);
        return file;
    }
}
