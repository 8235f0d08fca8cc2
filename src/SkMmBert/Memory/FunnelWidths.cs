namespace SkMmBert;

/// <summary>How many items leave each stage of the funnel for the next.</summary>
/// <param name="Signs">Kept by the sign bits for the route tier.</param>
/// <param name="Route">Kept by the route tier for the retrieve tier.</param>
/// <param name="Retrieve">Kept by the retrieve tier for the full vectors.</param>
internal readonly record struct FunnelWidths(int Signs, int Route, int Retrieve)
{
    /// <summary>
    /// The widths for a search that must return <paramref name="take"/> of <paramref name="items"/> items, measured so that 99 % of the exact
    /// ten remain; the benchmark <c>memory-funnel</c> prints the ranks behind them.
    /// </summary>
    public static FunnelWidths For(int items, int take) => new(
        Signs: Math.Max(Math.Max(10_000, 20 * take), items / 40),
        Route: Math.Max(Math.Max(1_000, 5 * take), items / 800),
        Retrieve: Math.Max(Math.Max(300, 3 * take), items / 2_500));
}
