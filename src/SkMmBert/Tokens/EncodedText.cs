namespace SkMmBert;

/// <summary>The tokens of one text or pair.</summary>
/// <param name="Ids">Token ids, special tokens included if asked for.</param>
/// <param name="Offsets">One [start, end) per id in UTF-16 units; [0, 0) for special tokens of the template.</param>
/// <param name="Truncated">Whether the text was cut to fit.</param>
public sealed record EncodedText(int[] Ids, TokenOffset[] Offsets, bool Truncated);

/// <summary>Where a token stands in its text, in UTF-16 units.</summary>
/// <param name="Start">First unit.</param>
/// <param name="End">Unit after the last.</param>
public readonly record struct TokenOffset(int Start, int End);
