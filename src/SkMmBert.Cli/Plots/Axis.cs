using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>An axis of a panel: its label, its scale and where its ticks are.</summary>
/// <param name="Label">What is measured, with the unit.</param>
internal sealed record Axis(string Label)
{
    private const int AboutTicks = 5;

    /// <summary>Equal ratios are equal distances.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>Whether the values are shares, shown in percent.</summary>
    public bool Percent { get; init; }

    /// <summary>A value the axis has to reach; null for only those of the data.</summary>
    public double? Include { get; init; }

    /// <summary>Values to put the ticks at; null to choose round ones.</summary>
    public IReadOnlyList<double>? At { get; init; }

    /// <summary>The range over some values with a little room, and its ticks.</summary>
    public (double From, double To, IReadOnlyList<double> Ticks) Over(IReadOnlyCollection<double> values)
    {
        double least = Math.Min(values.Min(), Include ?? double.MaxValue), most = Math.Max(values.Max(), Include ?? double.MinValue);
        if (Logarithmic)
        {
            (double from, double to) = (least / Math.Pow(most / least, 0.04) / 1.02, most * Math.Pow(most / least, 0.04) * 1.02);
            return (from, to, At ?? Round(from, to));
        }

        double step = Step(Math.Max(most - least, 1e-9));
        (double low, double high) = At is null ? (Math.Floor((least / step) + 1e-9) * step, Math.Ceiling((most / step) - 1e-9) * step) : (least - ((most - least) * 0.04), most + ((most - least) * 0.04));
        high = high > low ? high : low + step;
        return (low, high, At ?? [.. Enumerable.Range(0, (int)Math.Round((high - low) / step) + 1).Select(i => low + (i * step))]);
    }

    /// <summary>The place of a value between 0 and 1.</summary>
    public double Place(double value, double from, double to) => Logarithmic ? Math.Log(value / from) / Math.Log(to / from) : (value - from) / (to - from);

    public string Text(double value) => Percent ? (value * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %"
        : Math.Abs(value) >= 1_000 ? value.ToString("#,0", CultureInfo.InvariantCulture)
        : value.ToString("0.###", CultureInfo.InvariantCulture);

    private static double Step(double range)
    {
        double rough = range / AboutTicks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 });
    }

    // 1, 2, 5 of each power of ten, or only 1 where those would be many.
    private static List<double> Round(double from, double to)
    {
        List<double> ticks = [];
        double[] digits = to / from > 300 ? [1] : [1, 2, 5];
        for (double power = Math.Pow(10, Math.Floor(Math.Log10(from))); power <= to; power *= 10)
        {
            ticks.AddRange(digits.Select(digit => digit * power).Where(tick => tick >= from && tick <= to));
        }

        return ticks;
    }
}
