namespace SkMmBert.Cli;

/// <summary>A picture of a few panels under one heading.</summary>
/// <param name="Title">What is shown.</param>
/// <param name="Subtitle">Of which model and how much of what; may be long.</param>
/// <param name="Panels">The panels in reading order.</param>
/// <param name="Columns">Panels side by side.</param>
internal sealed record Figure(string Title, string Subtitle, IReadOnlyList<Panel> Panels, int Columns = 2);

/// <summary>One part of a picture.</summary>
/// <param name="Title">What it shows.</param>
internal abstract record Panel(string Title);

/// <summary>Lines over a common axis.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis.</param>
/// <param name="Lines">The lines; those of one name share their place in the legend.</param>
internal sealed record LinePanel(string Title, Axis X, Axis Y, IReadOnlyList<Line> Lines) : Panel(Title)
{
    /// <summary>A level to compare with; null for none.</summary>
    public double? Level { get; init; }
}

/// <summary>Points that belong together, joined in their order.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Colour">A colour of <see cref="SvgStyle"/>.</param>
/// <param name="Points">The points.</param>
internal sealed record Line(string Name, int Colour, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>Dashed, with hollow points.</summary>
    public bool Dashed { get; init; }

    /// <summary>Points only.</summary>
    public bool Loose { get; init; }
}

/// <summary>Horizontal bars, each with its name before and its value behind.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Label">What a bar's length is.</param>
/// <param name="Bars">The bars from above; a colour of <see cref="SvgStyle"/> each.</param>
internal sealed record BarPanel(string Title, string Label, IReadOnlyList<(string Name, int Colour, double Value)> Bars) : Panel(Title);
