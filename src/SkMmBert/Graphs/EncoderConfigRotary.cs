namespace SkMmBert;

/// <summary>Rotary positions of one kind of layer.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="InverseFrequencies">Angle per position, [head size / 2].</param>
/// <param name="AttentionScaling">Multiplies cosine and sine.</param>
internal sealed record RotaryConfig(float Theta, float[] InverseFrequencies, float AttentionScaling)
{
    /// <summary>Plain rotary positions: theta^(-2j/d).</summary>
    public static RotaryConfig Plain(double theta, int headSize)
    {
        float[] inverse = Frequencies(theta, headSize);
        for (int j = 0; j < inverse.Length; j++)
        {
            inverse[j] = 1f / inverse[j];
        }

        return new RotaryConfig((float)theta, inverse, 1f);
    }

    /// <summary>YaRN: low frequencies divided by the factor, high ones kept, a ramp in between.</summary>
    public static RotaryConfig Yarn(double theta, int headSize, YarnConfig yarn)
    {
        double low = Correction(yarn.BetaFast), high = Correction(yarn.BetaSlow);
        if (yarn.Truncate)
        {
            low = Math.Floor(low);
            high = Math.Ceiling(high);
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, headSize - 1);
        if (low == high)
        {
            high += 0.001;
        }

        float[] inverse = Frequencies(theta, headSize);
        for (int j = 0; j < inverse.Length; j++)
        {
            float keep = 1f - Math.Clamp((j - (float)low) / (float)(high - low), 0f, 1f);
            inverse[j] = (1f / ((float)yarn.Factor * inverse[j]) * (1f - keep)) + (1f / inverse[j] * keep);
        }

        double scaling = yarn.AttentionFactor
            ?? (yarn.Scale is double m && yarn.ScaleAllDimensions is double all ? Magnitude(m) / Magnitude(all) : Magnitude(1));
        return new RotaryConfig((float)theta, inverse, (float)scaling);

        double Correction(double rotations) => headSize * Math.Log(yarn.OriginalPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));

        double Magnitude(double scale) => yarn.Factor <= 1 ? 1 : (0.1 * scale * Math.Log(yarn.Factor)) + 1;
    }

    // NOTE: rounded to single precision at each step, as the reference does: at position 32,768 one unit in the last place is a visible angle.
    private static float[] Frequencies(double theta, int headSize)
    {
        float[] powers = new float[headSize / 2];
        for (int j = 0; j < powers.Length; j++)
        {
            powers[j] = (float)Math.Pow(theta, (float)(2 * j) / headSize);
        }

        return powers;
    }
}

/// <summary>The keys of a YaRN block.</summary>
internal sealed record YarnConfig(double Factor, double OriginalPositions, double BetaFast, double BetaSlow)
{
    public double? AttentionFactor { get; init; }

    public double? Scale { get; init; }

    public double? ScaleAllDimensions { get; init; }

    public bool Truncate { get; init; } = true;
}
