namespace SkMmBert;

/// <summary>A slice of a text that was too long to be taken whole.</summary>
/// <param name="Text">The slice: <c>whole[Start..End]</c>.</param>
/// <param name="Start">Its first UTF-16 unit in the whole text.</param>
/// <param name="End">The unit after its last.</param>
/// <param name="Source">Where the whole text came from, as the caller named it.</param>
public sealed record TextChunk(string Text, int Start, int End, string? Source = null);
