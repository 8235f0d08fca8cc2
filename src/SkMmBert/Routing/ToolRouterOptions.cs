namespace SkMmBert;

/// <summary>How tools are chosen.</summary>
public sealed record ToolRouterOptions
{
    /// <summary>Catalogues smaller than this are passed on whole: nothing is embedded, nothing is hidden.</summary>
    /// <value>The default is 8.</value>
    public int MinimumCatalogue { get; init; } = 8;

    /// <summary>Fewest tools of a decision that does not abstain.</summary>
    /// <value>The default is 3: the second and third cost little and are often meant.</value>
    public int MinimumTools { get; init; } = 3;

    /// <summary>Most tools chosen for one turn; always-included and sticky ones come on top.</summary>
    /// <value>The default is 12.</value>
    public int MaximumTools { get; init; } = 12;

    /// <summary>A fixed number of tools for every question: no adaptive list, no abstention, no minimum catalogue.</summary>
    /// <value>The default is <see langword="null"/>: the list is as long as the question needs.</value>
    public int? Top { get; init; }

    /// <summary>Where to stop and when to say that no tool fits.</summary>
    /// <value>The default is <see cref="ToolCalibration.Default"/>, which takes its zero from the catalogue itself.</value>
    public ToolCalibration Calibration { get; init; } = ToolCalibration.Default;

    /// <summary>Tools that are in every decision.</summary>
    /// <value>The default is <see langword="null"/>: none.</value>
    public Func<ToolProfile, bool>? AlwaysInclude { get; init; }

    /// <summary>A cross-encoder asked only when the best tools are close to one another.</summary>
    /// <value>The default is <see langword="null"/>: none. Stays the caller's to dispose.</value>
    public Reranker? Reranker { get; init; }

    /// <summary>Earlier user turns that still colour the question, each counting <see cref="TurnDecay"/> times the one after it.</summary>
    /// <value>The default is 2.</value>
    public int RecentTurns { get; init; } = 2;

    /// <summary>How much a user turn counts relative to the one after it, from 0 to 1.</summary>
    /// <value>The default is 0.3.</value>
    public float TurnDecay { get; init; } = 0.3f;

    /// <summary>Whether the sentences of a longer question are matched each for themselves too; costs their embedding in the same call.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool Sentences { get; init; } = true;

    /// <summary>Prefix length of the vectors that the first scan of a large catalogue uses.</summary>
    /// <value>The default is <see langword="null"/>: the route tier of a model that has tiers, else the full width.</value>
    public int? RouteDimensions { get; init; }

    /// <summary>The clock that <see cref="RoutingDecision.Elapsed"/> is read from.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Clock);
        ArgumentOutOfRangeException.ThrowIfNegative(MinimumCatalogue);
        ArgumentOutOfRangeException.ThrowIfLessThan(MinimumTools, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(RecentTurns);
        ArgumentNullException.ThrowIfNull(Calibration);
        if (MaximumTools < MinimumTools)
        {
            throw new ArgumentOutOfRangeException(nameof(MaximumTools), $"MaximumTools is {MaximumTools}. Expected: at least MinimumTools, which is {MinimumTools}.");
        }

        if (Top < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(Top), $"Top is {Top}. Expected: at least 1, or null for a list as long as the question needs.");
        }

        if (!(TurnDecay is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(TurnDecay), $"TurnDecay is {TurnDecay}. Expected: 0 to 1.");
        }

        if (RouteDimensions < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(RouteDimensions), $"RouteDimensions is {RouteDimensions}. Expected: at least 1, or null for the model's route tier.");
        }
    }
}
