namespace SkMmBert.Cli;

/// <summary>Finds a model by folder or by a known name.</summary>
internal static class ModelNames
{
    /// <summary>Models that come with the program, with what they are and what they are recommended for.</summary>
    public static IReadOnlyList<(string Name, string Folder, string What, string Use)> Known { get; } =
    [
        ("mini", "mini-embed", "embedder", "Starting without a download, demos and tests; a full-size embedder where quality counts."),
        ("mini", "mini-rerank", "reranker", "Trying the interface; on your data only if 'eval calibrate-reranker' says it is on there."),
    ];

    /// <summary>The folder of an embedder or a reranker.</summary>
    /// <param name="name">A folder, <c>mini</c>, or the name of a folder beside mini.</param>
    /// <param name="what"><c>embedder</c> or <c>reranker</c>: which of the two a name of a pair means.</param>
    public static string Find(string name, string what)
    {
        if (Directory.Exists(name))
        {
            return Path.GetFullPath(name);
        }

        string folder = Known.Where(model => model.Name == name && model.What == what).Select(model => model.Folder).FirstOrDefault(name);
        if (Installed(folder) is { } installed)
        {
            return installed;
        }

        KnownModel? known = KnownModel.Find(name.Split('@')[0]);
        if (known is not null || name.Count(c => c == '/') == 1)
        {
            using ModelHub hub = new(HubOptions.FromEnvironment());
            if (hub.TryFind(name, out DownloadedModel? downloaded))
            {
                return downloaded.Folder;
            }
        }

        if (known is not null)
        {
            throw new InputException($"'{name}' is known but not downloaded. Run 'skmmbert pull {name}' first.");
        }

        string names = string.Join(", ", Known.Select(model => model.Name).Distinct().Concat(KnownModel.All.Select(model => model.Name)));
        throw new InputException($"'{name}' is not a folder and not an installed model. Expected: the path of a model folder, or a known name ({names}); 'skmmbert models' lists what is there.");
    }

    /// <summary>The folder of a model in a <c>models</c> folder near the working directory or the program; null if there is none.</summary>
    public static string? Installed(string folder)
    {
        if (folder.Length == 0 || folder.AsSpan().ContainsAny('/', '\\') || folder.StartsWith('.'))
        {
            return null;
        }

        return Roots().Select(root => Path.Combine(root, folder)).FirstOrDefault(path => File.Exists(Path.Combine(path, "config.json")));
    }

    /// <summary>Every <c>models</c> folder from the working directory and the program's folder upwards.</summary>
    public static IEnumerable<string> Roots() =>
        new[] { Environment.CurrentDirectory, AppContext.BaseDirectory }.SelectMany(Upwards).Select(folder => Path.Combine(folder, "models")).Distinct().Where(Directory.Exists);

    private static IEnumerable<string> Upwards(string folder)
    {
        for (DirectoryInfo? at = new(folder); at is not null; at = at.Parent)
        {
            yield return at.FullName;
        }
    }
}
