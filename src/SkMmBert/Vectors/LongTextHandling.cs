namespace SkMmBert;

/// <summary>What happens to a text with more tokens than a model or an option allows.</summary>
public enum LongTextHandling
{
    /// <summary>The end is left out, and the embedding or the score says so.</summary>
    Cut,

    /// <summary>The call fails and names the text.</summary>
    Error,

    /// <summary>The text is read in slices that fit, nothing is left out: a vector is the mean of theirs, weighted by tokens; a rerank score is that of the best of them.</summary>
    Chunk,
}
