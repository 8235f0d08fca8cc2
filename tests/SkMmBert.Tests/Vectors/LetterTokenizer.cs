namespace SkMmBert.Tests;

/// <summary>One token per UTF-16 unit between 2 (begin) and 1 (end): enough to test everything above the tokens.</summary>
internal sealed class LetterTokenizer : TextTokenizer
{
    public override int VocabularySize => 70_000;

    public override int SpecialTokens => 2;

    public override int PairSpecialTokens => 3;

    public override EncodedText Encode(string text, int maxTokens = int.MaxValue, bool addSpecialTokens = true)
    {
        int extra = addSpecialTokens ? 2 : 0, kept = Math.Min(text.Length, maxTokens - extra);
        List<int> ids = [.. text.Take(kept).Select(c => c + 3)];
        List<TokenOffset> offsets = [.. Enumerable.Range(0, kept).Select(i => new TokenOffset(i, i + 1))];
        if (addSpecialTokens)
        {
            ids = [2, .. ids, 1];
            offsets = [default, .. offsets, default];
        }

        return new([.. ids], [.. offsets], kept < text.Length);
    }

    public override EncodedText EncodePair(string first, string second, int maxTokens = int.MaxValue, bool addSpecialTokens = true) => throw new NotSupportedException();

    public override int Encode(ReadOnlySpan<char> text, Span<int> ids, out int charactersRead)
    {
        charactersRead = Math.Min(text.Length, ids.Length);
        for (int i = 0; i < charactersRead; i++)
        {
            ids[i] = text[i] + 3;
        }

        return charactersRead;
    }

    public override int CountTokens(ReadOnlySpan<char> text) => text.Length;

    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => string.Concat(ids.ToArray().Where(id => id > 2).Select(id => (char)(id - 3)));
}
