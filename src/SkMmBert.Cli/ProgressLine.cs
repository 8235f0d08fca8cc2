using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>A progress bar with an estimate of the time left; only where a person watches, and only after a second.</summary>
internal sealed class ProgressLine(Terminal terminal, string noun) : IDisposable
{
    private const int BarWidth = 24;
    private readonly TimeSpan _started = terminal.Clock();
    private TimeSpan _last;
    private bool _shown;

    /// <summary>Says how many are done and, where it is known, which part of everything that is.</summary>
    /// <param name="done">How many.</param>
    /// <param name="part">Which part of everything; null where that is not known.</param>
    /// <param name="detail">More about it, such as a speed.</param>
    /// <param name="left">The time left, where someone knows better than the pace so far.</param>
    public void Report(long done, double? part, string? detail = null, TimeSpan? left = null)
    {
        TimeSpan now = terminal.Clock() - _started;
        if (!terminal.Interactive || now < TimeSpan.FromSeconds(1) || now - _last < TimeSpan.FromMilliseconds(200))
        {
            return;
        }

        (_last, _shown) = (now, true);
        string count = done.ToString("N0", CultureInfo.InvariantCulture) + " " + noun + (detail is null ? "" : ", " + detail);
        string line = part is > 0 and <= 1
            ? $"[{new string('#', (int)(part.Value * BarWidth)),-BarWidth}] {part.Value,4:P0}  {count}, {Words(left ?? now * ((1 - part.Value) / part.Value))} left"
            : $"{count}, {Words(now)} so far";
        terminal.Error.Write("\r" + line.PadRight(78)[..78]);
        terminal.Error.Flush();
    }

    public void Dispose()
    {
        if (_shown)
        {
            terminal.Error.Write("\r" + new string(' ', 78) + "\r");
            terminal.Error.Flush();
        }
    }

    private static string Words(TimeSpan time) => time.TotalMinutes >= 2
        ? $"{Math.Ceiling(time.TotalMinutes).ToString(CultureInfo.InvariantCulture)} min"
        : $"{Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture)} s";
}
