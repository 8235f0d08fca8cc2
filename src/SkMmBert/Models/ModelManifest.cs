namespace SkMmBert;

/// <summary>What an opened model folder is and can do.</summary>
/// <param name="Id">Short name, such as <c>mini-embed</c>: the folder's name.</param>
/// <param name="Folder">Full path of the folder.</param>
/// <param name="Architecture"><c>modernbert</c> or <c>bert</c>; <c>onnx</c> for published graphs without a <c>config.json</c>.</param>
/// <param name="Layers">Number of transformer layers.</param>
/// <param name="HiddenSize">Width of a full vector.</param>
/// <param name="ContextLength">Most tokens of one text, special tokens included.</param>
/// <param name="Exits">Layers the model was trained or published to be left at, ascending; empty if the folder does not say.</param>
/// <param name="Dimensions">Vector lengths the model was trained for, descending; empty if the folder does not say.</param>
/// <param name="Pooling">How token states become one vector.</param>
/// <param name="ExitNorm">What happens to a hidden state before it is pooled.</param>
/// <param name="HasScoreHeads">Whether the folder has the classification heads of a reranker.</param>
/// <param name="Fingerprint">Changes whenever vectors may change: weights, arithmetic, exit convention.</param>
public sealed record ModelManifest(
    string Id,
    string Folder,
    string Architecture,
    int Layers,
    int HiddenSize,
    int ContextLength,
    IReadOnlyList<int> Exits,
    IReadOnlyList<int> Dimensions,
    ModelPooling Pooling,
    ExitNorm ExitNorm,
    bool HasScoreHeads,
    string Fingerprint)
{
    /// <summary>Vector lengths for coarse, middle and full comparison, ascending: 64, 256 and 768 in mmBERT; 64, 128 and 256 in mini.</summary>
    public IReadOnlyList<int> Tiers { get; init; } = [];

    /// <summary>Whether published ONNX graphs run, one for each of <see cref="Exits"/>, instead of graphs written from the weights.</summary>
    public bool IsPublishedOnnx { get; init; }

    /// <summary>Exits whose published graph norms its output itself, found from its operators; empty for other folders.</summary>
    public IReadOnlyList<int> NormedExits { get; init; } = [];

    /// <summary>Prompts by name, as sentence-transformers keeps them; empty if the folder has none.</summary>
    public IReadOnlyDictionary<string, string> Prompts { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
}
