namespace SkMmBert;

/// <summary>Turns text into the token ids a model was trained on, exactly as Hugging Face <c>tokenizers</c> does.</summary>
/// <remarks>
/// <para>Offsets are in UTF-16 units of the string that was given, so <c>text[start..end]</c> is the token's text.</para>
/// <para>Thread-safe. Holds no unmanaged memory.</para>
/// </remarks>
public abstract class TextTokenizer
{
    /// <summary>Number of token ids the tokenizer can produce.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>Number of special tokens added around a single text (2 for <c>&lt;bos&gt; A &lt;eos&gt;</c>).</summary>
    public abstract int SpecialTokens { get; }

    /// <summary>Number of special tokens added around a pair (3 for <c>&lt;bos&gt; A &lt;eos&gt; B &lt;eos&gt;</c>).</summary>
    public abstract int PairSpecialTokens { get; }

    /// <summary>Encodes one text.</summary>
    /// <param name="text">The text; lone surrogates count as U+FFFD.</param>
    /// <param name="maxTokens">Most ids returned, special tokens included; the text is cut at the end.</param>
    /// <param name="addSpecialTokens">Whether the special tokens of the model are added.</param>
    public abstract EncodedText Encode(string text, int maxTokens = int.MaxValue, bool addSpecialTokens = true);

    /// <summary>Encodes a pair; where it is too long the longer side loses tokens first (Hugging Face's <c>longest_first</c>).</summary>
    /// <param name="first">The first text, such as a query.</param>
    /// <param name="second">The second text.</param>
    /// <param name="maxTokens">Most ids returned, special tokens included.</param>
    /// <param name="addSpecialTokens">Whether the special tokens of the model are added.</param>
    public abstract EncodedText EncodePair(string first, string second, int maxTokens = int.MaxValue, bool addSpecialTokens = true);

    /// <summary>Encodes one text without special tokens into memory of the caller and returns the number of ids written.</summary>
    /// <remarks>Stops when <paramref name="ids"/> is full. Allocates nothing after warm-up.</remarks>
    /// <param name="text">The text.</param>
    /// <param name="ids">Where the ids go.</param>
    /// <param name="charactersRead">UTF-16 units of the text that the written ids stand for.</param>
    public abstract int Encode(ReadOnlySpan<char> text, Span<int> ids, out int charactersRead);

    /// <summary>Counts the tokens of a text without special tokens.</summary>
    /// <param name="text">The text.</param>
    public abstract int CountTokens(ReadOnlySpan<char> text);

    /// <summary>Turns ids back into text.</summary>
    /// <param name="ids">Token ids; an id outside the vocabulary is an error.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public abstract string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true);
}
