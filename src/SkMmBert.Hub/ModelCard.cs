namespace SkMmBert;

/// <summary>The header of a model card.</summary>
internal static class ModelCard
{
    /// <summary>The licence a downloaded folder's card states: its name where the identifier only says "other".</summary>
    public static string? ReadLicense(string folder)
    {
        string card = Path.Combine(folder, "README.md");
        if (!File.Exists(card)) return null;
        using StreamReader reader = new(card);
        if (reader.ReadLine()?.Trim() != "---") return null;
        string? license = null, name = null;
        // A header is a few dozen lines; one without an end is not read forever.
        for (int i = 0; i < 2_000 && reader.ReadLine() is { } line && line.TrimEnd() != "---"; i++)
        {
            if (line.StartsWith("license:", StringComparison.Ordinal)) license = Value(line);
            else if (line.StartsWith("license_name:", StringComparison.Ordinal)) name = Value(line);
        }

        return license is null or "other" ? name ?? license : license;
    }

    private static string? Value(string line)
    {
        string value = line[(line.IndexOf(':') + 1)..];
        int comment = value.IndexOf(" #", StringComparison.Ordinal);
        value = (comment < 0 ? value : value[..comment]).Trim().Trim('"', '\'');
        return value.Length == 0 ? null : value;
    }
}
