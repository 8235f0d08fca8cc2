namespace SkMmBert;

/// <summary>Everything about an encoder that its arithmetic depends on, read from a model folder.</summary>
internal sealed record EncoderConfig
{
    public const string ModernBert = "modernbert";
    public const string Bert = "bert";

    /// <summary><see cref="ModernBert"/> or <see cref="Bert"/>.</summary>
    public required string Architecture { get; init; }

    public required int VocabSize { get; init; }

    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward layer; of each of its two halves in ModernBERT.</summary>
    public required int IntermediateSize { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    public int HeadSize => HiddenSize / Heads;

    public required int MaxPositions { get; init; }

    /// <summary>Rows of BERT's table of token types; 0 in ModernBERT.</summary>
    public int TokenTypes { get; init; }

    public required float NormEps { get; init; }

    public int PadId { get; init; }

    /// <summary>Width of the window of local layers: a token sees those at most <c>LocalAttention / 2</c> away. 0 in BERT.</summary>
    public int LocalAttention { get; init; }

    /// <summary>For each layer whether it sees all tokens, [layers].</summary>
    public required IReadOnlyList<bool> GlobalLayers { get; init; }

    /// <summary>Rotary position of global layers; null in BERT.</summary>
    public RotaryConfig? GlobalRope { get; init; }

    /// <summary>Rotary position of local layers; null in BERT.</summary>
    public RotaryConfig? LocalRope { get; init; }

    public required ModelPooling Pooling { get; init; }

    /// <summary>Exits the folder says it was trained for, ascending; empty if it does not say.</summary>
    public IReadOnlyList<int> Exits { get; init; } = [];

    /// <summary>Vector (or head input) sizes the folder says it was trained for, descending; empty if it does not say.</summary>
    public IReadOnlyList<int> Dimensions { get; init; } = [];

    /// <summary>What the folder says about norms at exits; null in a folder from before there was such a contract.</summary>
    public RepresentationContract? Contract { get; init; }

    /// <summary>Whether the folder has a <c>matryoshka_config.json</c>, the mark of a reranker.</summary>
    public bool IsReranker { get; init; }

    /// <summary>Most tokens of one text, special tokens included: the smaller of the positions and sentence-transformers' limit.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Most tokens of a query and text together by the reranker's own configuration; null if it does not say.</summary>
    public int? PairLength { get; init; }

    /// <summary>Prompts by name, as sentence-transformers keeps them.</summary>
    public IReadOnlyDictionary<string, string> Prompts { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    public string? DefaultPromptName { get; init; }

    public bool IsGlobal(int layer) => GlobalLayers[layer];

    /// <summary>Reads <c>config.json</c> and the files beside it.</summary>
    public static EncoderConfig Read(string folder) => ReadFile(Path.Combine(folder, "config.json"));

    /// <summary>Reads a configuration under any name; the other files of the folder are looked for beside it.</summary>
    public static EncoderConfig ReadFile(string path) => EncoderConfigReader.Read(path);
}

/// <summary>What a checkpoint says about the norm and the pooling its users must apply.</summary>
/// <param name="NormAtEarlyExits">Whether <c>final_norm</c> is applied before pooling at exits before the last.</param>
/// <param name="Pooling">How token states become one vector; null if the contract leaves it to the other files.</param>
internal sealed record RepresentationContract(bool NormAtEarlyExits, ModelPooling? Pooling);
