namespace SkMmBert;

/// <summary>One query of calibration or evaluation data with the candidates its first stage found.</summary>
/// <param name="Query">The question or task.</param>
/// <param name="Texts">The candidates, in first-stage order.</param>
public sealed record RerankSample(string Query, IReadOnlyList<string> Texts)
{
    /// <summary>First-stage scores, one per text; <see langword="null"/> to let the place count.</summary>
    public IReadOnlyList<float>? FirstScores { get; init; }

    /// <summary>How relevant each text is, 0 for not at all; <see langword="null"/> where nobody knows. Needed for the blend, not for <see cref="RerankEffort.Progressive"/>.</summary>
    public IReadOnlyList<float>? Gains { get; init; }

    /// <summary>Gains of relevant texts that the first stage did not find.</summary>
    public IReadOnlyList<float> MissedGains { get; init; } = [];
}
