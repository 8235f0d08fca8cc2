namespace SkMmBert;

/// <summary>How a model folder is opened and run.</summary>
public sealed record ModelOptions
{
    /// <summary>Whether <c>final_norm</c> is applied to hidden states of an early exit.</summary>
    /// <value>The default is <see langword="null"/>: what the model's <c>representation_contract</c> says; without one
    /// <see cref="SkMmBert.ExitNorm.FinalNorm"/> for embedders, and the published rule for rerankers (final norm at early exits, raw at the last).</value>
    public ExitNorm? ExitNorm { get; init; }

    /// <summary>Arithmetic of the linear layers.</summary>
    /// <value>The default is <see cref="ModelPrecision.Fp32"/>.</value>
    public ModelPrecision Precision { get; init; } = ModelPrecision.Fp32;

    /// <summary>Most tokens that go through the model in one run. Bounds memory for any mix of inputs; a longer single text still runs alone.</summary>
    /// <value>The default is 4,096.</value>
    public int MaxBatchTokens { get; init; } = 4_096;

    /// <summary>Processor threads one run may use.</summary>
    /// <value>The default is <see langword="null"/>: one thread a run for short texts in parallel streams, more only for a long one.</value>
    public int? Threads { get; init; }

    /// <summary>Where the graphs written from a model folder are kept.</summary>
    /// <value>The default is <see langword="null"/>: <c>skmmbert/graphs</c> in the user's local application data folder.</value>
    public string? CacheFolder { get; init; }

    /// <summary>Whether special tokens written out in user text (such as <c>&lt;eos&gt;</c>) are read as plain characters.</summary>
    /// <value>The default is <see langword="false"/>: they become the special token, as Hugging Face does.</value>
    public bool NeutraliseSpecialTokens { get; init; }

    /// <summary>Told how far the one-time writing of graphs is, from 0 to 1.</summary>
    public IProgress<double>? Progress { get; init; }

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
}

/// <summary>Arithmetic of the linear layers.</summary>
public enum ModelPrecision
{
    /// <summary>32-bit floating point: equal to the reference.</summary>
    Fp32,

    /// <summary>8-bit integers with a scale per token and per weight column: about twice as fast, slightly different vectors.</summary>
    Int8,
}
