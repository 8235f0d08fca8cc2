using System.Buffers.Binary;

namespace SkMmBert;

/// <summary>An item as its tables hold it, made ready before the file is locked: everything but the number of its scope.</summary>
internal sealed class SqliteRow(MemoryItem item, MemoryModel model)
{
    private readonly byte[] _coarse = SqliteBlobs.Coarse(item.Vector.Span, model, 0, SqliteBlobs.Seconds(item.Time!.Value));

    public MemoryItem Item { get; } = item;

    public string? Metadata { get; } = item.Metadata.Count == 0 ? null : SqliteItems.WriteMetadata(item.Metadata);

    /// <summary>Bytes of the retrieve tier; null when the model has only two tiers or one.</summary>
    public byte[]? Middle { get; } = model.Tiers.Count >= 3 ? SqliteBlobs.Middle(item.Vector.Span, model.Tiers[^2]) : null;

    public byte[] Full { get; } = SqliteBlobs.Full(item.Vector.Span);

    /// <summary>The terms as FTS5 takes them.</summary>
    public string Words { get; } = string.Join(' ', LexicalTerms.Of(item.Text));

    public ReadOnlySpan<byte> Coarse(int scope)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_coarse.AsSpan(SqliteBlobs.ScopeAt), scope);
        return _coarse;
    }
}
