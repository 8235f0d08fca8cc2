using System.Text.RegularExpressions;

namespace SkMmBert;

/// <summary>A repository and the revision wanted from it.</summary>
internal sealed partial record ModelReference(string Repository, string Revision, KnownModel? Known, bool RevisionIsGiven)
{
    public const string DefaultRevision = "main";

    /// <summary>Whether the revision can never mean another commit later.</summary>
    public bool IsCommit => IsCommitId(Revision);

    public static bool IsCommitId(string revision) => CommitPattern().IsMatch(revision);

    /// <summary>Reads <c>mmbert-embed</c>, <c>owner/name</c> or either with <c>@revision</c>.</summary>
    public static ModelReference Parse(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        int at = name.IndexOf('@');
        string repository = at < 0 ? name : name[..at];
        string? revision = at < 0 ? null : name[(at + 1)..];
        KnownModel? known = KnownModel.Find(repository);
        repository = known?.Repository ?? repository;
        if (!RepositoryPattern().IsMatch(repository) || HasDots(repository))
            throw new ArgumentException(
                $"'{name}' is not a model name. Expected a known name ({string.Join(", ", KnownModel.All.Select(m => m.Name))}) or owner/name[@revision].", nameof(name));
        if (revision is not null && (!RevisionPattern().IsMatch(revision) || HasDots(revision)))
            throw new ArgumentException($"'{revision}' is not a revision. Expected a branch, a tag or a commit id after '@'.", nameof(name));
        return new ModelReference(repository, revision ?? known?.Revision ?? DefaultRevision, known, revision is not null);
    }

    // The names become folders: nothing may climb out of the cache.
    private static bool HasDots(string path) => path.Split('/').Any(part => part.Length == 0 || part.Trim('.').Length == 0) || path.Contains("..") || path.Contains("--");

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9._-]{1,96}\z")]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex(@"^[A-Za-z0-9._][A-Za-z0-9._/-]{0,200}\z")]
    private static partial Regex RevisionPattern();

    [GeneratedRegex(@"^[0-9a-f]{40}\z")]
    private static partial Regex CommitPattern();
}
