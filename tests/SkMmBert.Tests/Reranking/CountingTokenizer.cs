namespace SkMmBert.Tests;

/// <summary>Counts how often each text is encoded.</summary>
internal sealed class CountingTokenizer(TextTokenizer inner) : TextTokenizer
{
    public Dictionary<string, int> Encoded { get; } = [];

    public override int VocabularySize => inner.VocabularySize;

    public override int SpecialTokens => inner.SpecialTokens;

    public override int PairSpecialTokens => inner.PairSpecialTokens;

    public override EncodedText Encode(string text, int maxTokens = int.MaxValue, bool addSpecialTokens = true)
    {
        Count(text);
        return inner.Encode(text, maxTokens, addSpecialTokens);
    }

    public override EncodedText EncodePair(string first, string second, int maxTokens = int.MaxValue, bool addSpecialTokens = true)
    {
        Count(first);
        Count(second);
        return inner.EncodePair(first, second, maxTokens, addSpecialTokens);
    }

    public override int Encode(ReadOnlySpan<char> text, Span<int> ids, out int charactersRead)
    {
        Count(text.ToString());
        return inner.Encode(text, ids, out charactersRead);
    }

    public override int CountTokens(ReadOnlySpan<char> text)
    {
        Count(text.ToString());
        return inner.CountTokens(text);
    }

    public override int AddSpecialTokens(ReadOnlySpan<int> first, ReadOnlySpan<int> second, Span<int> ids, int maxTokens = int.MaxValue) => inner.AddSpecialTokens(first, second, ids, maxTokens);

    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => inner.Decode(ids, skipSpecialTokens);

    private void Count(string text) => Encoded[text] = Encoded.GetValueOrDefault(text) + 1;
}
