namespace SkMmBert;

/// <summary>How token states become one vector.</summary>
public enum ModelPooling
{
    /// <summary>Mean over all tokens, special tokens included.</summary>
    Mean,

    /// <summary>The state of the first token.</summary>
    Cls,
}
