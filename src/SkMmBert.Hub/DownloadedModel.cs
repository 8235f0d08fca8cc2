namespace SkMmBert;

/// <summary>A model folder in the cache, complete and ready for <c>MmBertModel.Open</c>.</summary>
/// <param name="Repository">Where it is published: <c>owner/name</c>.</param>
/// <param name="Revision">The commit it is.</param>
/// <param name="Folder">Full path of the folder.</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="License">The licence in the header of its model card; <see langword="null"/> when the card states none.</param>
public sealed record DownloadedModel(string Repository, string Revision, string Folder, long Bytes, string? License)
{
    /// <summary>Its traits, when it is a known model.</summary>
    public KnownModel? Known => KnownModel.Find(Repository);
}
