namespace SkMmBert;

/// <summary>How natural it is to cut a text at a place; higher is better.</summary>
internal enum Boundary
{
    /// <summary>Inside what a reader sees as one character.</summary>
    None,

    /// <summary>Between two characters.</summary>
    Grapheme,

    /// <summary>Between two words, or behind punctuation.</summary>
    Word,

    /// <summary>Behind a sentence.</summary>
    Sentence,

    /// <summary>Behind a line.</summary>
    Line,

    /// <summary>Behind a blank line.</summary>
    Paragraph,
}
