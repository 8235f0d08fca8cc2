namespace SkMmBert;

/// <summary>How a model folder is opened and run.</summary>
public sealed record ModelOptions
{
    /// <summary>Whether <c>final_norm</c> is applied to hidden states of an early exit.</summary>
    /// <value>The default is <see langword="null"/>: what the model's <c>representation_contract</c> says; without one
    /// <see cref="SkMmBert.ExitNorm.FinalNorm"/> for embedders, the published rule for rerankers (final norm at early exits, raw at the last),
    /// and <see cref="SkMmBert.ExitNorm.AsGraph"/> for published ONNX graphs.</value>
    public ExitNorm? ExitNorm { get; init; }

    /// <summary>Arithmetic of the linear layers.</summary>
    /// <value>The default is <see cref="ModelPrecision.Fp32"/>.</value>
    public ModelPrecision Precision { get; init; } = ModelPrecision.Fp32;

    /// <summary>Most tokens that go through the model in one run. Bounds memory for any mix of inputs; a longer single text still runs alone.</summary>
    /// <value>The default is 1,024: enough to keep the matrix kernels busy, and small enough that a layer's values stay in the processor's cache.</value>
    public int MaxBatchTokens { get; init; } = 1_024;

    /// <summary>Processor threads one run may use.</summary>
    /// <value>The default is <see langword="null"/>: one thread a run for short texts in parallel streams, more only for a long one.</value>
    public int? Threads { get; init; }

    /// <summary>Where the graphs written from a model folder are kept.</summary>
    /// <value>The default is <see langword="null"/>: <c>skmmbert/graphs</c> in the user's local application data folder.</value>
    public string? CacheFolder { get; init; }

    /// <summary>What the layers run on.</summary>
    /// <value>The default is <see cref="ModelDevice.Cpu"/>. A device that is asked for and not there is an error, never another device.</value>
    public ModelDevice Device { get; init; }

    /// <summary>Whether the published ONNX graphs of a folder (<c>onnx/layer-N</c>) are run although it has safetensors weights too.</summary>
    /// <value>The default is <see langword="false"/>: graphs written from the weights win, since they have every exit and are faster. A folder without weights runs its published graphs either way.</value>
    public bool UsePublishedOnnx { get; init; }

    /// <summary>Whether special tokens written out in user text (such as <c>&lt;eos&gt;</c>) are read as plain characters.</summary>
    /// <value>The default is <see langword="false"/>: they become the special token, as Hugging Face does.</value>
    public bool NeutraliseSpecialTokens { get; init; }

    /// <summary>Told how far the one-time writing of graphs is, from 0 to 1.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Whether graphs use only the runtime's own operators, as they do where the processor lacks the instructions of ours.</summary>
    internal bool StandardAttention { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchTokens, 1);
        if (Threads is int threads)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1, nameof(Threads));
        }
    }
}

/// <summary>What happens to a hidden state before it is pooled.</summary>
public enum ExitNorm
{
    /// <summary>The model's <c>final_norm</c> is applied at every exit.</summary>
    FinalNorm,

    /// <summary>Early exits stay as they are; the last exit is normed (what training saw).</summary>
    Raw,

    /// <summary>Published ONNX graphs as they are: nothing is added at any exit, whether the graph norms its output or not.</summary>
    AsGraph,
}
