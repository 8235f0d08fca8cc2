using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Guesses a text's logit at the last exit, up to a constant of the query, from what is there at an early exit: the state its head reads, its logit, and the place in first-stage order.</summary>
/// <param name="State">One weight for each entry of the pooled state; empty for none.</param>
/// <param name="Logit">Weight of the exit's own logit.</param>
/// <param name="Place">Weight of the place.</param>
internal sealed record RerankProbe(float[] State, float Logit, float Place)
{
    /// <summary>The exit's own logit, as it is.</summary>
    public static RerankProbe None { get; } = new([], 1, 0);

    /// <summary>The guess for one text.</summary>
    public float Of(ReadOnlySpan<float> state, float logit, int index) =>
        (State.Length == 0 ? 0 : TensorPrimitives.Dot(State, state)) + (Logit * logit) + (Place * PlaceValue(index));

    /// <summary>How a place in first-stage order counts.</summary>
    public static float PlaceValue(int index) => -MathF.Log(1 + index);
}
