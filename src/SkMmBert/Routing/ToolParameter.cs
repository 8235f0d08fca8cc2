namespace SkMmBert;

/// <summary>A parameter of a tool, as far as routing reads it.</summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="Description">What it is for; <see langword="null"/> when the schema does not say.</param>
public readonly record struct ToolParameter(string Name, string? Description);
