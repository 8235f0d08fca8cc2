namespace SkMmBert;

/// <summary>What stands before the characters of a word.</summary>
internal enum WordPrefix
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The model's word start, which the text does not have: no width.</summary>
    Virtual,

    /// <summary>The model's word start, for a space or word start in the text: one UTF-16 unit.</summary>
    Real,
}
