using System.CommandLine;
using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>The options of <c>memory recall</c> that say which items may be evidence, and whether age counts.</summary>
internal sealed class MemoryConditions
{
    private readonly Option<string[]> _metadata = new("--metadata") { Description = "Items with this pair of metadata; may be given several times.", DefaultValueFactory = _ => [] };
    private readonly Option<string?> _since = new("--since") { Description = "Items written at this time or later, such as 2026-11-21." };
    private readonly Option<string?> _until = new("--until") { Description = "Items written before this time, such as 2026-11-21." };
    private readonly Option<string?> _halfLife = new("--half-life") { Description = "Age in days at which a score counts half (default: age does not matter)." };

    public Symbol[] Options => [_metadata, _since, _until, _halfLife];

    /// <summary>Adds what the command line says to options.</summary>
    public RecallOptions Read(ParseResult parsed, RecallOptions options)
    {
        (DateTimeOffset? since, DateTimeOffset? until) = (Time(parsed, _since), Time(parsed, _until));
        return since >= until
            ? throw new InputException($"--since is '{parsed.GetValue(_since)}' and --until is '{parsed.GetValue(_until)}'. Expected: --since before --until.")
            : options with { Metadata = Pairs(parsed.GetValue(_metadata)!), From = since, To = until, RecencyHalfLife = Days(parsed.GetValue(_halfLife)) };
    }

    /// <summary>Reads a time off the command line, UTC unless it says otherwise; null where the option was not given.</summary>
    public static DateTimeOffset? Time(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time
        : throw new InputException($"{option.Name} is '{text}'. Expected: a time such as 2026-11-21 or 2026-11-21T12:00:00Z.");

    private static Dictionary<string, string>? Pairs(string[] texts)
    {
        Dictionary<string, string> pairs = [];
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=');
            if (equals < 1)
            {
                throw new InputException($"--metadata is '{text}'. Expected: a pair KEY=VALUE, such as project=apollo.");
            }

            if (!pairs.TryAdd(text[..equals], text[(equals + 1)..]))
            {
                throw new InputException($"--metadata was given twice for '{text[..equals]}'. Expected: each key once; an item must have every pair.");
            }
        }

        return pairs.Count == 0 ? null : pairs;
    }

    private static TimeSpan? Days(string? text) => text is null ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double days) && days < TimeSpan.MaxValue.TotalDays && TimeSpan.FromDays(Math.Max(0, days)) is { Ticks: > 0 } age ? age
        : throw new InputException($"--half-life is '{text}'. Expected: a number of days above 0, such as 30 or 0.5.");
}
