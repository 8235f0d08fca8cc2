namespace SkMmBert.Cli;

/// <summary>Colours and letters of a picture, for light and for dark pages.</summary>
internal static class SvgStyle
{
    public const int Blue = 0, Orange = 1, Green = 2, Purple = 3, Red = 4, Grey = 5;

    // Told apart with any colour vision; the second of each pair is for dark pages.
    private static readonly (string Light, string Dark)[] Colours =
        [("#1f6fd0", "#6cb0ff"), ("#d9730d", "#ffa657"), ("#15896a", "#4cc9a0"), ("#8250c8", "#c297ff"), ("#c93a4e", "#ff8182"), ("#77808c", "#98a2ae")];

    /// <summary>The style sheet; a viewer that knows no media queries shows the light one.</summary>
    public static string Sheet => $"{Theme("#ffffff", "#d5dae1", "#1d2530", "#5d6875", "#e7eaee", [.. Colours.Select(colour => colour.Light)])}\n"
        + $"@media (prefers-color-scheme: dark) {{ {Theme("#12171f", "#2c3542", "#e8edf3", "#9aa6b4", "#252d38", [.. Colours.Select(colour => colour.Dark)])} }}";

    private static string Theme(string page, string edge, string ink, string faint, string grid, string[] colours) =>
        $"text{{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:{ink}}} .page{{fill:{page};stroke:{edge}}} .faint{{fill:{faint}}} .grid{{stroke:{grid}}} .axis{{stroke:{edge}}} .level{{stroke:{faint}}} .hollow{{fill:{page}}} "
        + string.Join(' ', colours.Select((colour, i) => $".f{i}{{fill:{colour}}} .s{i}{{stroke:{colour}}}"));
}
