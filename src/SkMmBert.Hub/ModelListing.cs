using System.Text.Json;

namespace SkMmBert;

/// <summary>What a repository holds at one commit.</summary>
internal sealed record ModelListing(string Repository, string Commit, IReadOnlyList<RemoteFile> Files)
{
    /// <summary>Reads the hub's answer about a revision, asked for with blobs.</summary>
    public static ModelListing Parse(string repository, ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            string commit = root.GetProperty("sha").GetString() ?? "";
            if (!ModelReference.IsCommitId(commit)) throw Unreadable(repository, $"its commit id is '{commit}'", null);
            List<RemoteFile> files = [];
            foreach (JsonElement sibling in root.GetProperty("siblings").EnumerateArray())
                files.Add(ReadFile(sibling));
            return new ModelListing(repository, commit, files);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Unreadable(repository, e.Message, e);
        }
    }

    private static RemoteFile ReadFile(JsonElement sibling)
    {
        string path = sibling.GetProperty("rfilename").GetString() ?? "";
        if (sibling.TryGetProperty("lfs", out JsonElement lfs) && lfs.ValueKind == JsonValueKind.Object
            && (lfs.TryGetProperty("sha256", out JsonElement hash) || lfs.TryGetProperty("oid", out hash)))
            return new RemoteFile(path, lfs.GetProperty("size").GetInt64(), hash.GetString());
        long size = sibling.TryGetProperty("size", out JsonElement bytes) && bytes.ValueKind == JsonValueKind.Number ? bytes.GetInt64() : -1;
        return new RemoteFile(path, size, sibling.TryGetProperty("blobId", out JsonElement blob) ? blob.GetString() : null);
    }

    private static InvalidDataException Unreadable(string repository, string why, Exception? inner) =>
        new($"The hub's listing of '{repository}' cannot be read: {why}. Expected the JSON of a Hugging Face hub; check HF_ENDPOINT.", inner);
}

/// <summary>One file of a repository: its hash is the SHA-256 of large files and the git blob SHA-1 of small ones.</summary>
internal sealed record RemoteFile(string Path, long Size, string? Hash)
{
    public bool IsDescribed => Size >= 0 && Hash is not null;

    /// <summary>The hash, once it is certain that it can be a file name and be checked.</summary>
    public string CheckedHash => Hash is { Length: 40 or 64 } hash && hash.All(char.IsAsciiHexDigitLower)
        ? hash
        : throw new InvalidDataException($"The hub gives '{Path}' the hash '{Hash}'. Expected a SHA-256 or a git blob id; without one the download cannot be checked.");
}
