namespace SkMmBert;

/// <summary>A published model that SkMmBert runs, with its traits.</summary>
/// <remarks>Immutable. Traits are what the model's publisher states; after a download the folder's own files decide.</remarks>
/// <param name="Name">Short name, such as <c>mmbert-embed</c>.</param>
/// <param name="Repository">Where it is published: <c>owner/name</c>.</param>
/// <param name="Revision">The commit that is downloaded, or <c>main</c> where no full commit id is known: then whatever is published now.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Layers">Number of transformer layers.</param>
/// <param name="Exits">Layers it was evaluated or published to be left at, ascending.</param>
/// <param name="Dimensions">Vector lengths it was trained for, descending; for a reranker the widths of its score heads.</param>
/// <param name="ContextLength">Most tokens of one text.</param>
/// <param name="License">Identifier of the licence its card states.</param>
/// <param name="Use">What it is good for, in one sentence.</param>
/// <example><code>
/// KnownModel model = KnownModel.Find("mmbert-embed")!;
/// // model.Repository → llm-semantic-router/mmbert-embed-32k-2d-matryoshka; model.Dimensions → 768, 512, 256, 128, 64
/// </code></example>
public sealed record KnownModel(
    string Name,
    string Repository,
    string Revision,
    KnownModelKind Kind,
    int Layers,
    IReadOnlyList<int> Exits,
    IReadOnlyList<int> Dimensions,
    int ContextLength,
    string License,
    string Use)
{
    private static readonly int[] MatryoshkaDimensions = [768, 512, 256, 128, 64];

    /// <summary>All known models, embedders first.</summary>
    public static IReadOnlyList<KnownModel> All { get; } =
    [
        new("mmbert-embed", "llm-semantic-router/mmbert-embed-32k-2d-matryoshka", "c544097d7603b10c546560e8be5d7fe0965a7909",
            KnownModelKind.Embedder, 22, [3, 6, 11, 16, 22], MatryoshkaDimensions, 32_768, "apache-2.0",
            "The default embedder: one space for routing (64 d), retrieval (256 d) and matching (768 d) in 1,800 languages."),
        new("aegis-embed", "llm-semantic-router/aegis-embed", "2a9ae9e597c814c00fd7ccf593eb03dad455ae1e",
            KnownModelKind.Embedder, 22, [3, 6, 11, 22], MatryoshkaDimensions, 32_768, "apache-2.0",
            "The same embedder published for agent memory and tool matching."),
        new("vela-embed", "vllm-sr/Vela-1.0-Encoder-307M-Embedding", "1e57cebf5a7b7fec6e6973f05bbca97c5cca4436",
            KnownModelKind.Embedder, 22, [3, 6, 11, 22], MatryoshkaDimensions, 32_768, "apache-2.0",
            "The successor of mmbert-embed; its folder states how early exits are normed."),
        new("mxbai-embed-2d-large", "mixedbread-ai/mxbai-embed-2d-large-v1", "7e639ca8e344af398876ead3b19ec3c0b9068f49",
            KnownModelKind.Embedder, 24, [13, 16, 20, 24], [1024, 512, 256, 128, 64], 512, "apache-2.0",
            "English embedder on BERT-large for texts of at most 512 tokens; early exits from layer 20 keep its quality."),
        new("mmbert-rerank", "llm-semantic-router/mmbert-rerank-32k-2d-matryoshka", "8022697d37c2602f06eff94cd6d83bb9f6ab1001",
            KnownModelKind.Reranker, 22, [3, 6, 11, 22], MatryoshkaDimensions, 32_768, "apache-2.0",
            "The default cross-encoder: 20 score heads, one for each exit and width."),
        new("vela-rerank", "vllm-sr/Vela-1.0-Encoder-307M-Reranker", "a388e41cbbd5dc5f16b6389fa76d0b8b8a38a8bf",
            KnownModelKind.Reranker, 22, [3, 6, 11, 22], MatryoshkaDimensions, 32_768, "apache-2.0",
            "The successor of mmbert-rerank; score heads in safetensors and a stated norm rule."),
    ];

    /// <summary>Whether <see cref="Revision"/> is a fixed commit.</summary>
    public bool IsPinned => Revision != ModelReference.DefaultRevision;

    /// <summary>Finds a known model by its short name, its repository or the last part of its repository; <see langword="null"/> when it is none.</summary>
    public static KnownModel? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (KnownModel model in All)
        {
            ReadOnlySpan<char> bareName = model.Repository.AsSpan(model.Repository.IndexOf('/') + 1);
            if (name.Equals(model.Name, StringComparison.OrdinalIgnoreCase)
                || name.Equals(model.Repository, StringComparison.OrdinalIgnoreCase)
                || bareName.Equals(name, StringComparison.OrdinalIgnoreCase))
                return model;
        }

        return null;
    }
}

/// <summary>What a known model does.</summary>
public enum KnownModelKind
{
    /// <summary>Turns a text into a vector.</summary>
    Embedder,

    /// <summary>Scores a text against a query.</summary>
    Reranker,
}
