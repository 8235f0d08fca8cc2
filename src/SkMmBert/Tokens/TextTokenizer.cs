namespace SkMmBert;

/// <summary>Turns text into the token ids a model was trained on, exactly as Hugging Face <c>tokenizers</c> does.</summary>
/// <remarks>
/// <para>Offsets are in UTF-16 units of the string that was given, so <c>text[start..end]</c> is the token's text.</para>
/// <para>Thread-safe. Holds no unmanaged memory.</para>
/// <para>Cost: tens of megabytes of text a second on one thread; a text that is cut is not read much beyond the cut.</para>
/// </remarks>
/// <example><code>
/// TextTokenizer tokenizer = TextTokenizer.Open("models/mini-embed/tokenizer.json");
/// EncodedText encoded = tokenizer.Encode("Get the current weather for a city");
/// // encoded.Ids → 2, 8452, 5515, 6570, 7738, 5574, 5485, 8616, 1
/// // encoded.Offsets[3] → [7, 15): "current" with its space
/// </code></example>
public abstract class TextTokenizer
{
    /// <summary>Number of token ids the tokenizer can produce.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>Number of special tokens added around a single text (2 for <c>&lt;bos&gt; A &lt;eos&gt;</c>).</summary>
    public abstract int SpecialTokens { get; }

    /// <summary>Number of special tokens added around a pair (3 for <c>&lt;bos&gt; A &lt;eos&gt; B &lt;eos&gt;</c>).</summary>
    public abstract int PairSpecialTokens { get; }

    /// <summary>The id that fills up short rows of a batch; null if the file names none.</summary>
    public virtual int? PadTokenId => null;

    /// <summary>Opens a <c>tokenizer.json</c>: BPE with byte fallback (Gemma, mmBERT) or WordPiece (BERT).</summary>
    /// <remarks>
    /// <para>The whole pipeline is read from the file; a component that is not known is refused by name. The file's own
    /// truncation and padding are not used: the caller says how long.</para>
    /// <para>A file of 34 MB takes well under a second and keeps about 25 MB.</para>
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="neutraliseSpecialTokens">Whether special tokens written out in a text, such as <c>&lt;bos&gt;</c>, are read as plain characters; Hugging Face reads them as the token.</param>
    /// <exception cref="InvalidDataException">The file is broken or asks for something that is not known; the message names file and fault.</exception>
    public static TextTokenizer Open(string path, bool neutraliseSpecialTokens = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        TokenizerJson file = TokenizerJson.Read(path);
        return file.Model.Type switch
        {
            "BPE" => BpeTokenizer.Create(file, neutraliseSpecialTokens),
            "WordPiece" => WordPieceTokenizer.Create(file, neutraliseSpecialTokens),
            _ => throw file.Model.Unknown("BPE, WordPiece"),
        };
    }

    /// <summary>The id of a token; null if there is none.</summary>
    /// <param name="token">The token as it stands in the vocabulary.</param>
    public virtual int? TokenToId(string token) => throw NoVocabulary();

    /// <summary>The token of an id; null if there is none.</summary>
    /// <param name="id">The id.</param>
    public virtual string? IdToToken(int id) => throw NoVocabulary();

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

    /// <summary>Encodes one text without special tokens into memory of the caller, with offsets.</summary>
    /// <remarks>Stops when <paramref name="ids"/> is full. Allocates nothing after warm-up.</remarks>
    /// <param name="text">The text.</param>
    /// <param name="ids">Where the ids go.</param>
    /// <param name="offsets">Where the offsets go: as long as <paramref name="ids"/>, or empty.</param>
    /// <param name="charactersRead">UTF-16 units of the text that the written ids stand for.</param>
    public virtual int Encode(ReadOnlySpan<char> text, Span<int> ids, Span<TokenOffset> offsets, out int charactersRead) => throw NoVocabulary();

    /// <summary>Counts the tokens of a text without special tokens.</summary>
    /// <param name="text">The text.</param>
    public abstract int CountTokens(ReadOnlySpan<char> text);

    /// <summary>Counts the tokens of a text without special tokens, but no further than a limit.</summary>
    /// <param name="text">The text; what lies behind the limit is not read.</param>
    /// <param name="atMost">Where to stop counting.</param>
    public virtual int CountTokens(ReadOnlySpan<char> text, int atMost) => Math.Min(atMost, CountTokens(text));

    /// <summary>Puts the special tokens of a single text around tokens that are encoded already.</summary>
    /// <param name="tokens">The tokens of the text, without special tokens.</param>
    /// <param name="ids">Where the result goes; must have room for it.</param>
    /// <param name="maxTokens">Most ids written, special tokens included.</param>
    /// <returns>The number of ids written.</returns>
    public virtual int AddSpecialTokens(ReadOnlySpan<int> tokens, Span<int> ids, int maxTokens = int.MaxValue) => throw NoVocabulary();

    /// <summary>Joins two texts that are encoded already into a pair, so that a query is encoded once for many texts.</summary>
    /// <remarks>The result is that of <see cref="EncodePair(string, string, int, bool)"/> if neither side was cut before.</remarks>
    /// <param name="first">The tokens of the first text, without special tokens.</param>
    /// <param name="second">The tokens of the second text, without special tokens.</param>
    /// <param name="ids">Where the result goes; must have room for it.</param>
    /// <param name="maxTokens">Most ids written, special tokens included; the longer side loses tokens first.</param>
    /// <returns>The number of ids written.</returns>
    public virtual int AddSpecialTokens(ReadOnlySpan<int> first, ReadOnlySpan<int> second, Span<int> ids, int maxTokens = int.MaxValue) => throw NoVocabulary();

    /// <summary>Turns ids back into text.</summary>
    /// <param name="ids">Token ids; an id outside the vocabulary is an error.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public abstract string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true);

    private NotSupportedException NoVocabulary() => new($"{GetType().Name} cannot do this; a tokenizer opened from a file is expected.");
}
