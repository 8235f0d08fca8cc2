using System.Buffers;

namespace Microsoft.ML.Tokenizers;

public readonly struct EncodedToken
{
    public EncodedToken(int id, string value, Range offset) => throw null!;
}

public struct EncodeSettings
{
    public int MaxTokenCount { readonly get => throw null!; set => throw null!; }
}

public struct EncodeResults<T>
{
    public IReadOnlyList<T> Tokens { readonly get => throw null!; set => throw null!; }

    public string? NormalizedText { readonly get => throw null!; set => throw null!; }

    public int CharsConsumed { readonly get => throw null!; set => throw null!; }
}

public abstract class Tokenizer
{
    protected virtual EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) => throw null!;

    protected abstract EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings);

    protected virtual int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) => throw null!;

    protected virtual int GetIndexByTokenCount(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string? normalizedText, out int tokenCount) => throw null!;

    public virtual string Decode(IEnumerable<int> ids) => throw null!;

    public abstract OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten);
}
