using System.Text.Json;

namespace SkMmBert.Cli;

/// <summary>One measured case.</summary>
/// <param name="Kind"><see cref="OneText"/>, <see cref="ShortTexts"/> or <see cref="ParallelStreams"/>.</param>
/// <param name="Model">The model's short name.</param>
/// <param name="Tokens">Tokens of a text; of short texts the mean.</param>
/// <param name="Precision">fp32 or int8.</param>
/// <param name="Exit">The layer where texts leave.</param>
/// <param name="Texts">Texts of a round.</param>
/// <param name="Milliseconds">Least processor time of a round; of streams the time on the clock.</param>
internal sealed record BenchRow(string Kind, string Model, double Tokens, string Precision, int Exit, int Texts, double Milliseconds)
{
    public const string OneText = "one text", ShortTexts = "short texts", ParallelStreams = "streams";

    /// <summary>Least processor time of a round of the plain export; null where it was not run.</summary>
    public double? NaiveMilliseconds { get; init; }

    /// <summary>Peak resident memory while it ran, with no other model open; null where it was not read.</summary>
    public double? PeakMegabytes { get; init; }

    /// <summary>Runs side by side.</summary>
    public int Streams { get; init; } = 1;

    public int Rounds { get; init; } = 1;

    /// <summary>The system's load average when it was done; null where there is none.</summary>
    public double? Load { get; init; }

    public double TextsPerSecond => Texts / Milliseconds * 1000;

    /// <summary>How many times as fast as the plain export of the whole model, which has no exits.</summary>
    public double? RatioToNaive => NaiveMilliseconds / Milliseconds;

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("case", Kind);
        writer.WriteString("model", Model);
        writer.WriteNumber("tokens", Math.Round(Tokens, 1));
        writer.WriteString("precision", Precision);
        writer.WriteNumber("exit", Exit);
        writer.WriteNumber("texts", Texts);
        writer.WriteNumber("milliseconds", Math.Round(Milliseconds, 3));
        writer.WriteNumber("texts_per_second", Math.Round(TextsPerSecond, 2));
        Number("ratio_to_naive", RatioToNaive, 3);
        Number("peak_mb", PeakMegabytes, 1);
        Number("naive_milliseconds", NaiveMilliseconds, 3);
        writer.WriteNumber("streams", Streams);
        writer.WriteNumber("rounds", Rounds);
        Number("load", Load, 2);

        void Number(string name, double? value, int digits)
        {
            if (value is double number)
            {
                writer.WriteNumber(name, Math.Round(number, digits));
            }
            else
            {
                writer.WriteNull(name);
            }
        }
    }
}
