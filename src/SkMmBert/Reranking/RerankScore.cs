namespace SkMmBert;

/// <summary>What a reranker found out about one text.</summary>
/// <param name="Score">The score; higher is more relevant. Without meaning where <paramref name="Exit"/> is 0.</param>
/// <param name="Exit">The layer the text reached: scores of a later layer go before those of an earlier one. The score is that of the layer's head; before the last layer and with a calibration, what its
/// probe expects of the last head. 0 if the time did not suffice. 1 for rerankers without layers.</param>
public readonly record struct RerankScore(float Score, int Exit)
{
    /// <summary>What sorts texts of the same exit; finer than <see cref="Score"/>, which comes close to 1 for many.</summary>
    public float Order { get; init; } = Score;

    /// <summary>Where in the text reading stopped, in UTF-16 units; null if query and text were read whole.</summary>
    public int? CutAt { get; init; }

    /// <summary>Whether the text has a score.</summary>
    public bool IsScored => Exit > 0;
}

/// <summary>One thing in its new place.</summary>
/// <typeparam name="T">What was sorted.</typeparam>
/// <param name="Item">The thing.</param>
/// <param name="Index">Its place among the candidates, from 0.</param>
/// <param name="Score">The rerank score, or the blend where one was asked for; the first stage's where it was not scored.</param>
/// <param name="Rerank">What the reranker found out about it.</param>
public readonly record struct RankedItem<T>(T Item, int Index, float Score, RerankScore Rerank);
