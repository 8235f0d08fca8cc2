namespace SkMmBert;

/// <summary>How candidates are scored and sorted.</summary>
public sealed record RerankOptions
{
    /// <summary>How much work it may cost.</summary>
    /// <value>The default is <see cref="RerankEffort.Full"/>.</value>
    public RerankEffort Effort { get; init; } = RerankEffort.Full;

    /// <summary>How many leading entries of the pooled state the score head reads.</summary>
    /// <value>The default is <see langword="null"/>: the widest head.</value>
    public int? Dimension { get; init; }

    /// <summary>Most tokens of query and text together, special tokens included.</summary>
    /// <value>The default is <see langword="null"/>: what the model's folder says, else its whole context.</value>
    public int? MaxTokens { get; init; }

    /// <summary>What happens to a text that does not fit <see cref="MaxTokens"/>.</summary>
    /// <value>The default is <see cref="LongTextHandling.Cut"/>; <see cref="RerankScore.CutAt"/> says where.</value>
    public LongTextHandling LongTexts { get; init; }

    /// <summary>Whether scores are the head's logits, not brought to 0..1.</summary>
    /// <value>The default is <see langword="false"/>.</value>
    public bool RawScores { get; init; }

    /// <summary>How many of the best are returned.</summary>
    /// <value>The default is <see langword="null"/>: all.</value>
    public int? Top { get; init; }

    /// <summary>Rerank scores below this are left out; scores of the first stage are never compared with it.</summary>
    /// <value>The default is <see langword="null"/>: none is left out.</value>
    public float? MinimumScore { get; init; }

    /// <summary>Weight of the rerank score beside the first stage's, from 0 (first stage alone) to 1 (rerank alone). Both are brought to the same scale within a query.</summary>
    /// <value>The default is <see langword="null"/>: what <see cref="Calibration"/> says, else 1.</value>
    public float? Blend { get; init; }

    /// <summary>What was learned about this model on some data: who carries on in <see cref="RerankEffort.Progressive"/>, and the blend.</summary>
    /// <value>The default is <see langword="null"/>: nothing.</value>
    public RerankCalibration? Calibration { get; init; }

    /// <summary>Whether a failing reranker leaves the order as it was, and says so in the trail, in place of throwing. A cancelled call always throws.</summary>
    /// <value>The default is <see langword="false"/>.</value>
    public bool FailOpen { get; init; }

    /// <summary>The clock of <see cref="RerankEffort.Deadline"/>.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal float BlendWeight => Blend ?? Calibration?.Blend ?? 1f;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Effort);
        ArgumentNullException.ThrowIfNull(Clock);
        if (!Enum.IsDefined(LongTexts))
        {
            throw new ArgumentOutOfRangeException(nameof(LongTexts), $"LongTexts is {(int)LongTexts}. Expected: Cut, Error or Chunk.");
        }

        if (Blend is float blend && !(blend is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(Blend), blend, "The blend is outside 0 to 1. Give 0 for the first stage alone, 1 for the rerank scores alone.");
        }

        if (Top is int top)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(top, nameof(Top));
        }

        if (MinimumScore is float floor && float.IsNaN(floor))
        {
            throw new ArgumentOutOfRangeException(nameof(MinimumScore), floor, "The minimum score is not a number. Leave it null for none.");
        }
    }
}
