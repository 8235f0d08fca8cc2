namespace SkMmBert;

/// <summary>What an input of a published graph is for.</summary>
internal enum InputRole
{
    None,
    Ids,
    Mask,
    Types,
    Positions,
}

/// <summary>Inputs and outputs of published graphs, by the names exporters give them.</summary>
internal static class PublishedNames
{
    // The one with most information first.
    private static readonly string[] Outputs = ["last_hidden_state", "token_embeddings", "sentence_embedding", "embeddings", "pooler_output"];

    /// <summary>The role of an input by a part of its name.</summary>
    public static InputRole RoleOf(string name) => name.ToLowerInvariant() switch
    {
        string mask when mask.Contains("mask", StringComparison.Ordinal) => InputRole.Mask,
        string type when type.Contains("type", StringComparison.Ordinal) || type.Contains("segment", StringComparison.Ordinal) => InputRole.Types,
        string position when position.Contains("position", StringComparison.Ordinal) => InputRole.Positions,
        string ids when ids.Contains("ids", StringComparison.Ordinal) || ids.Contains("token", StringComparison.Ordinal) => InputRole.Ids,
        _ => InputRole.None,
    };

    /// <summary>The output that is read.</summary>
    public static string OutputOf(IReadOnlyList<string> names, string path) => Outputs.FirstOrDefault(names.Contains) ?? (names.Count == 1 ? names[0]
        : throw new InvalidDataException($"'{path}' has the outputs {string.Join(", ", names)}. Expected: one of {string.Join(", ", Outputs)}, or a single output."));
}
