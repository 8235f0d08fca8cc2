using System.Buffers;
using Microsoft.ML.Tokenizers;

namespace SkMmBert;

/// <summary>A model's tokenizer with the face of <c>Microsoft.ML.Tokenizers</c>, for code that counts, cuts or shows tokens through it.</summary>
/// <remarks>
/// <para>Ids and offsets are those of <see cref="TextTokenizer"/>; offsets are in UTF-16 units of the text as it was given, since no normalised text is kept
/// (<c>normalizedText</c> is always null). The pipeline of a model cannot be taken apart: asking for encoding without normalisation or
/// without pre-tokenisation changes nothing. Special tokens are not added, so that the count of a text is the sum of its parts'.</para>
/// <para>Thread-safe. Holds no unmanaged memory.</para>
/// </remarks>
/// <example><code>
/// Tokenizer tokenizer = new MmBertTokenizer(model.Tokenizer);
/// int tokens = tokenizer.CountTokens("Get the current weather for a city");   // 7
/// int end = tokenizer.GetIndexByTokenCount(text, 512, out _, out _);          // where a slice of 512 tokens ends
/// </code></example>
/// <param name="tokenizer">A model's tokenizer, or one opened with <see cref="TextTokenizer.Open"/>.</param>
public sealed class MmBertTokenizer(TextTokenizer tokenizer) : Tokenizer
{
    private readonly TextTokenizer _tokenizer = tokenizer ?? throw new ArgumentNullException(nameof(tokenizer));

    /// <inheritdoc/>
    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        string whole = text ?? textSpan.ToString();
        EncodedText encoded = _tokenizer.Encode(whole, settings.MaxTokenCount, addSpecialTokens: false);
        EncodedToken[] tokens = new EncodedToken[encoded.Ids.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            TokenOffset offset = encoded.Offsets[i];
            tokens[i] = new EncodedToken(encoded.Ids[i], _tokenizer.IdToToken(encoded.Ids[i]) ?? "", new Range(offset.Start, offset.End));
        }

        return new EncodeResults<EncodedToken> { Tokens = tokens, NormalizedText = null, CharsConsumed = encoded.Truncated ? tokens.Length == 0 ? 0 : encoded.Offsets[^1].End : whole.Length };
    }

    /// <inheritdoc/>
    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        ReadOnlySpan<char> whole = text is null ? textSpan : text;
        int[] ids = ArrayPool<int>.Shared.Rent(Room(whole, settings.MaxTokenCount));
        try
        {
            int count = _tokenizer.Encode(whole, ids.AsSpan(0, Room(whole, settings.MaxTokenCount)), out int read);
            return new EncodeResults<int> { Tokens = ids[..count], NormalizedText = null, CharsConsumed = read };
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    /// <inheritdoc/>
    protected override int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        _tokenizer.CountTokens(text is null ? textSpan : text, settings.MaxTokenCount);

    /// <inheritdoc/>
    protected override int GetIndexByTokenCount(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string? normalizedText, out int tokenCount)
    {
        normalizedText = null;
        string whole = text ?? textSpan.ToString();
        EncodedText encoded = _tokenizer.Encode(whole, fromEnd ? int.MaxValue : settings.MaxTokenCount, addSpecialTokens: false);
        TokenOffset[] offsets = encoded.Offsets;
        tokenCount = Math.Min(offsets.Length, settings.MaxTokenCount);
        if (!fromEnd)
        {
            // A character of several tokens is not cut: the index lies before the first that is not whole.
            return !encoded.Truncated ? whole.Length : tokenCount == 0 ? 0 : offsets[tokenCount - 1].End;
        }

        return tokenCount == offsets.Length ? 0 : tokenCount == 0 ? whole.Length : offsets[^tokenCount].Start;
    }

    /// <inheritdoc/>
    public override string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _tokenizer.Decode([.. ids]);
    }

    /// <summary>Decodes as many whole ids as the destination has room for.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="destination">Where the text goes.</param>
    /// <param name="idsConsumed">How many ids the written text stands for.</param>
    /// <param name="charsWritten">How many characters were written.</param>
    /// <returns><see cref="OperationStatus.Done"/>, or <see cref="OperationStatus.DestinationTooSmall"/> when ids are left over.</returns>
    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        ArgumentNullException.ThrowIfNull(ids);
        int[] all = [.. ids];
        string text = _tokenizer.Decode(all);
        idsConsumed = all.Length;
        if (text.Length > destination.Length)
        {
            // The longest prefix of the ids that fits and whose text is a prefix of the whole text: the bytes of one character stay together.
            string whole = text;
            do
            {
                text = --idsConsumed == 0 ? "" : _tokenizer.Decode(all.AsSpan(0, idsConsumed));
            }
            while (text.Length > destination.Length || !whole.StartsWith(text, StringComparison.Ordinal));
        }

        text.CopyTo(destination);
        charsWritten = text.Length;
        return idsConsumed == all.Length ? OperationStatus.Done : OperationStatus.DestinationTooSmall;
    }

    // Every token but an added one stands for at least one byte of the text.
    private static int Room(ReadOnlySpan<char> text, int atMost) => (int)Math.Min(atMost, (4L * text.Length) + 16);
}
