namespace SkMmBert;

/// <summary>An opened model folder: its manifest, tokenizer and layers.</summary>
/// <remarks>
/// <para>Thread-safe: many threads may run texts through one model at once.</para>
/// <para>Owns the layers and unmaps the weights when disposed; generators and rerankers built on it do not dispose it.</para>
/// </remarks>
public sealed class MmBertModel : IDisposable
{
    private MmBertModel(ModelManifest manifest, TextTokenizer tokenizer, ModelOptions options)
    {
        Manifest = manifest;
        Tokenizer = tokenizer;
        Options = options;
    }

    /// <summary>What the model is and can do.</summary>
    public ModelManifest Manifest { get; }

    /// <summary>The model's tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    internal ModelOptions Options { get; }

    /// <summary>Opens a model folder as it was downloaded.</summary>
    /// <param name="folder">A Hugging Face folder: <c>config.json</c>, <c>tokenizer.json</c>, weights.</param>
    /// <param name="options">How it is run; <see langword="null"/> for the defaults.</param>
    public static MmBertModel Open(string folder, ModelOptions? options = null) => throw new NotSupportedException(folder);

    /// <summary>Runs a batch from the token ids to an exit.</summary>
    internal LayerState Run(TokenBatch batch, int exit, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Carries hidden states on to a later exit; the given state stays valid.</summary>
    internal LayerState Continue(LayerState state, int exit, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Keeps some rows of a state, so that only those go on.</summary>
    internal LayerState Select(LayerState state, ReadOnlySpan<int> rows) => throw new NotSupportedException();

    /// <summary>Pools each row of a state, [rows, hidden]: mean or first token by the manifest, after <c>final_norm</c> when asked; not normalised to length 1.</summary>
    internal void Pool(LayerState state, bool finalNorm, Span<float> pooled) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
