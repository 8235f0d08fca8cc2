namespace SkMmBert;

/// <summary>Which model a store's vectors come from.</summary>
/// <param name="Name">The name people know it by.</param>
/// <param name="Fingerprint">Changes whenever the vectors may change.</param>
/// <param name="Tiers">Prefix lengths for coarse, middle and full comparison, ascending; the last is the full width.</param>
public sealed record MemoryModel(string Name, string Fingerprint, IReadOnlyList<int> Tiers)
{
    /// <summary>The length of a full vector.</summary>
    public int Dimensions => Tiers[^1];

    internal void Validate()
    {
        bool ascending = Tiers.Count > 0 && Tiers[0] > 0;
        for (int i = 1; ascending && i < Tiers.Count; i++)
        {
            ascending = Tiers[i] > Tiers[i - 1];
        }

        if (!ascending)
        {
            throw new ArgumentException($"The model '{Name}' has the tiers [{string.Join(", ", Tiers)}]. Expected at least one, positive and ascending, such as [64, 256, 768].");
        }
    }

    /// <summary>The error for vectors of one model in a store of another.</summary>
    internal static InvalidOperationException Mismatch(string store, string storedName, string storedFingerprint, MemoryModel given) => new(
        $"The memory '{store}' was written with the model '{storedName}' ({storedFingerprint}), but this program uses '{given.Name}' ({given.Fingerprint}). " +
        "Their vectors cannot be compared: open it with the first model, or embed every text again with ReembedAsync.");
}
