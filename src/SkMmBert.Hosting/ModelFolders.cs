namespace SkMmBert;

/// <summary>Finds the folder of a model by path or by name.</summary>
/// <param name="root">Where relative paths start.</param>
/// <param name="modelsFolder">The only folder for names; <see langword="null"/> for <c>models</c> in the root and beside the program.</param>
internal sealed class ModelFolders(string root, string? modelsFolder)
{
    private readonly string[] _places = modelsFolder is null
        ? [.. new[] { Path.Combine(root, "models"), Path.Combine(AppContext.BaseDirectory, "models") }.Distinct()]
        : [Path.GetFullPath(modelsFolder, root)];

    /// <summary>The full path of an existing folder; null with the line that says what was looked for.</summary>
    /// <param name="name">A path or a name.</param>
    /// <param name="role"><c>embed</c> or <c>rerank</c>: which of the pair <c>mini</c> is.</param>
    /// <param name="missing">The line, where there is no such folder.</param>
    public string? Find(string name, string role, out string missing)
    {
        missing = "";
        string path = Path.GetFullPath(name, root);
        if (Directory.Exists(path))
        {
            return path;
        }

        bool isPath = name.AsSpan().ContainsAny('/', '\\') || name.StartsWith('.');
        string folder = name == "mini" ? $"mini-{role}" : name;
        string? found = isPath ? null : _places.Select(place => Path.Combine(place, folder)).FirstOrDefault(Directory.Exists);
        if (found is null)
        {
            IEnumerable<string> looked = isPath ? [path] : _places.Select(place => Path.Combine(place, folder));
            missing = $"There is no model folder for '{name}'. Looked for: {string.Join(", ", looked)}. Expected: the path of a downloaded model folder, or the name of one in ModelsFolder.";
        }

        return found;
    }
}
