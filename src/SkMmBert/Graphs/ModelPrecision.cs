namespace SkMmBert;

/// <summary>Arithmetic of the linear layers.</summary>
public enum ModelPrecision
{
    /// <summary>32-bit floating point: equal to the reference.</summary>
    Fp32,

    /// <summary>8-bit integers with a scale per token and per weight column: about twice as fast, slightly different vectors.</summary>
    Int8,
}
