using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Guesses a text's logit at the last exit from what is there at an earlier layer: what the state holds, the logit of a head there, and the place in first-stage order.</summary>
/// <param name="State">One weight for each of <see cref="RerankFeatures"/>; empty for none.</param>
/// <param name="Logit">Weight of the layer's own logit; without a head there it does not matter.</param>
/// <param name="Place">Weight of the place.</param>
/// <param name="Level">Brings guesses to the level of the last exit's logits on average; the order within a query does not depend on it.</param>
internal sealed record RerankProbe(float[] State, float Logit, float Place, float Level)
{
    /// <summary>The layer's own logit, as it is.</summary>
    public static RerankProbe OwnLogit { get; } = new([], 1, 0, 0);

    /// <summary>The first stage's order.</summary>
    public static RerankProbe FirstStage { get; } = new([], 0, 1, 0);

    /// <summary>The guess for one text.</summary>
    public float Of(ReadOnlySpan<float> state, float logit, int index) =>
        (State.Length == 0 ? 0 : TensorPrimitives.Dot(State, state)) + (Logit * logit) + (Place * PlaceValue(index)) + Level;

    /// <summary>How a place in first-stage order counts.</summary>
    public static float PlaceValue(int index) => -MathF.Log(1 + index);
}
