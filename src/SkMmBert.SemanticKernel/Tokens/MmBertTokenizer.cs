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
        (int[] ids, TokenOffset[] offsets, int read) = Encode(text is null ? textSpan : text, settings.MaxTokenCount);
        EncodedToken[] tokens = new EncodedToken[ids.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = new EncodedToken(ids[i], _tokenizer.IdToToken(ids[i]) ?? "", new Range(offsets[i].Start, offsets[i].End));
        }

        return new EncodeResults<EncodedToken> { Tokens = tokens, NormalizedText = null, CharsConsumed = read };
    }

    /// <inheritdoc/>
    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        (int[] ids, _, int read) = Encode(text is null ? textSpan : text, settings.MaxTokenCount);
        return new EncodeResults<int> { Tokens = ids, NormalizedText = null, CharsConsumed = read };
    }

    /// <inheritdoc/>
    protected override int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        _tokenizer.CountTokens(text is null ? textSpan : text, settings.MaxTokenCount);

    /// <inheritdoc/>
    /// <remarks>A character of several tokens is never cut: it stays outside when not all of its tokens fit.</remarks>
    protected override int GetIndexByTokenCount(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string? normalizedText, out int tokenCount)
    {
        normalizedText = null;
        ReadOnlySpan<char> whole = text is null ? textSpan : text;
        (_, TokenOffset[] offsets, int read) = Encode(whole, fromEnd ? int.MaxValue : settings.MaxTokenCount);
        if (!fromEnd)
        {
            tokenCount = offsets.Count(offset => offset.End <= read);
            return read;
        }

        int first = Math.Max(0, offsets.Length - settings.MaxTokenCount);
        while (first > 0 && first < offsets.Length && offsets[first].Start < offsets[first - 1].End)
        {
            first++;
        }

        tokenCount = offsets.Length - first;
        return first == 0 ? 0 : first == offsets.Length ? whole.Length : offsets[first].Start;
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

    private (int[] Ids, TokenOffset[] Offsets, int Read) Encode(ReadOnlySpan<char> text, int atMost)
    {
        int room = (int)Math.Min(atMost, (4L * text.Length) + 16);  // a token stands for at least a byte
        int[] ids = ArrayPool<int>.Shared.Rent(room);
        TokenOffset[] offsets = ArrayPool<TokenOffset>.Shared.Rent(room);
        try
        {
            int count = _tokenizer.Encode(text, ids.AsSpan(0, room), offsets.AsSpan(0, room), out int read);
            return (ids[..count], offsets[..count], read);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
            ArrayPool<TokenOffset>.Shared.Return(offsets);
        }
    }
}
