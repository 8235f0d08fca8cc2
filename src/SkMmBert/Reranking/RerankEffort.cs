using System.Globalization;

namespace SkMmBert;

/// <summary>How much work a reranking may cost.</summary>
/// <remarks>A closed set: <see cref="Full"/>, <see cref="Exit"/>, <see cref="Progressive"/>, <see cref="Deadline"/>. Rerankers without layers treat all of them as <see cref="Full"/>.</remarks>
public abstract record RerankEffort
{
    private RerankEffort()
    {
    }

    /// <summary>Every text is scored at the last exit.</summary>
    public static RerankEffort Full { get; } = new FullEffort();

    /// <summary>Every text is scored at an early exit; the others then carry on to the next one, and so on: hidden states are never computed twice.</summary>
    /// <remarks>Who carries on is told by <see cref="RerankOptions.Calibration"/>, which states the loss; without one, the better half at each exit.</remarks>
    public static RerankEffort Progressive { get; } = new ProgressiveEffort();

    /// <summary>Every text is scored at one exit.</summary>
    /// <param name="layer">A layer the model has score heads for.</param>
    public static RerankEffort Exit(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(layer, 1);
        return new ExitEffort(layer);
    }

    /// <summary>The best order that the time allows; what could not be scored in time stays behind, in the order given.</summary>
    /// <remarks>Texts go to the last exit one after the other, so more time never gives a worse choice of the best. With <see cref="RerankOptions.Calibration"/> they are scored at an
    /// early layer first and the most promising carry on, where that was found to agree better.</remarks>
    /// <param name="budget">Time from the call to its return; zero leaves the order as it is.</param>
    public static RerankEffort Deadline(TimeSpan budget)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(budget, TimeSpan.Zero);
        return new DeadlineEffort(budget);
    }

    /// <summary>Reads <c>full</c>, <c>exit:3</c>, <c>progressive</c> or <c>deadline:50</c> (milliseconds).</summary>
    /// <param name="text">The text, as on a command line.</param>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static RerankEffort Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        return parts switch
        {
            ["full"] => Full,
            ["progressive"] => Progressive,
            ["exit", string layer] when int.TryParse(layer, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 => Exit(number),
            ["deadline", string milliseconds] when double.TryParse(milliseconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number < 1e9 => Deadline(TimeSpan.FromMilliseconds(number)),
            _ => throw new FormatException($"'{text}' is no effort. Expected: full, exit:LAYER, progressive or deadline:MILLISECONDS."),
        };
    }

    internal sealed record FullEffort : RerankEffort;

    internal sealed record ProgressiveEffort : RerankEffort;

    internal sealed record ExitEffort(int Layer) : RerankEffort;

    internal sealed record DeadlineEffort(TimeSpan Budget) : RerankEffort;
}
