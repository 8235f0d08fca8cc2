using System.Diagnostics;
using Xunit;

namespace SkMmBert.Tests.Tokens;

public sealed class TokenizerMemoryTests
{
    private static readonly string[] _texts =
    [
        "The quick brown fox jumps over the lazy dog.", "東京都カリフォルニア州日本のものか？", "naïve café — Ωμέγα", "👩‍👩‍👧 <mask> \n\n <b>x</b>",
        "Donaudampfschifffahrtsgesellschaftskapitänsmütze", "\uD800 lone \uDC00", "a\0b", string.Concat(Enumerable.Repeat("long text of many words, ", 400)),
    ];

    public static TheoryData<string> Files => [TokenFixtures.TinyFile, TokenFixtures.BertFile, Path.Combine(Paths.MiniEmbed, "tokenizer.json")];

    [Theory]
    [MemberData(nameof(Files))]
    public void EncodeAndCount_AfterWarmUp_AllocateNothing(string file)
    {
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        int[] ids = new int[8192];
        TokenOffset[] offsets = new TokenOffset[8192];
        int[] joined = new int[64];
        for (int round = 0; round < 3; round++)
        {
            Run(tokenizer, ids, offsets, joined);
        }

        // A collection that another test sets off can count the rest of this thread's allocation block as used: the least of some rounds is what we allocate.
        long least = long.MaxValue;
        for (int round = 0; round < 10 && least > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Run(tokenizer, ids, offsets, joined);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Encode_CutTo512Tokens_DoesNotReadTenMegabytes(string file)
    {
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        foreach (string line in (string[])["Ada prefers trains to planes. ", "a < b\n", "日本のものか？", "x  ▁ y<"])
        {
            string small = string.Concat(Enumerable.Repeat(line, 20_000 / line.Length));
            string large = string.Concat(Enumerable.Repeat(line, 10_000_000 / line.Length));
            int[] expected = tokenizer.Encode(small, 512).Ids;
            EncodedText cut = tokenizer.Encode(large, 512);
            long allocated = long.MaxValue;
            TimeSpan took = TimeSpan.MaxValue;
            for (int round = 0; round < 5; round++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                tokenizer.Encode(large, 512);
                took = TimeSpan.FromTicks(Math.Min(took.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
                allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.Equal(expected, cut.Ids);
            Assert.True(cut.Truncated);
            Assert.True(allocated < 20_000, $"{allocated} bytes were allocated");
            Assert.True(took < TimeSpan.FromMilliseconds(40), $"it took {took.TotalMilliseconds} ms");
        }
    }

    [Fact]
    public void EncodePair_TwoTexts10MegabytesLong_OddBudgetGoesToTheLonger()
    {
        string shorter = string.Concat(Enumerable.Repeat("word ", 100_000));
        string longer = shorter + "word word";

        int[] ids = TokenFixtures.Mini.EncodePair(longer, shorter, 14).Ids;

        int separator = Array.IndexOf(ids, 1);
        Assert.Equal((14, 7), (ids.Length, separator));
        Assert.Equal(6, Array.IndexOf(TokenFixtures.Mini.EncodePair(shorter, longer, 14).Ids, 1));
    }

    [Fact]
    public void Encode_WordOfAMillionLetters_TakesLittleTime()
    {
        string word = new('a', 1_000_000);
        TokenFixtures.Mini.CountTokens(word.AsSpan(0, 100_000));
        long start = Stopwatch.GetTimestamp();
        int tokens = TokenFixtures.Mini.CountTokens(word);

        Assert.True(tokens > 100_000);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "a million letters must not take quadratic time");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Encode_ManyThreads_SameIdsAsOne(string file)
    {
        TextTokenizer tokenizer = TextTokenizer.Open(file);
        string[] texts = [.. TokenFixtures.Golden("tokenizer/tiny.jsonl.gz").Select(r => r.Text())];
        EncodedText[] expected = [.. texts.Select(t => TextTokenizerOf(file).Encode(t))];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (int at = 0; at < texts.Length; at++)
            {
                int place = (at * 7 + thread * 31) % texts.Length;
                EncodedText found = tokenizer.Encode(texts[place]);
                Assert.Equal(expected[place].Ids, found.Ids);
                Assert.Equal(expected[place].Offsets, found.Offsets);
            }
        })));
    }

    private static readonly Dictionary<string, TextTokenizer> _opened = [];

    private static TextTokenizer TextTokenizerOf(string file)
    {
        lock (_opened)
        {
            return _opened.TryGetValue(file, out TextTokenizer? known) ? known : _opened[file] = TextTokenizer.Open(file);
        }
    }

    private static void Run(TextTokenizer tokenizer, int[] ids, TokenOffset[] offsets, int[] joined)
    {
        foreach (string text in _texts)
        {
            tokenizer.Encode(text, ids, out _);
            tokenizer.Encode(text, ids.AsSpan(0, 3), out _);
            tokenizer.Encode(text, ids, offsets, out _);
            tokenizer.CountTokens(text);
            tokenizer.CountTokens(text, 2);
            tokenizer.AddSpecialTokens(ids.AsSpan(0, 5), joined);
            tokenizer.AddSpecialTokens(ids.AsSpan(0, 5), ids.AsSpan(0, 30), joined, 24);
        }
    }
}
