namespace SkMmBert;

/// <summary>The weights of all layers in one file, as the graphs want them: matrices stored [in, out], slices of packed matrices apart.</summary>
/// <remarks>
/// Every graph of a model names the same file, so that the layers between two exits exist once.
/// Offsets are multiples of 64 KiB: the file is mapped, not read.
/// </remarks>
internal sealed class GraphWeights
{
    public const string FileName = "weights.bin";
    private const int Alignment = 65_536;
    private readonly Dictionary<string, WeightLocation> _locations = [];
    private long _end;

    public IReadOnlyDictionary<string, WeightLocation> Locations => _locations;

    public bool Has(string name) => _locations.ContainsKey(name);

    /// <summary>Reserves room for a tensor; the same calls in the same order give the same file.</summary>
    public WeightLocation Add(string name, OnnxType type, params long[] shape)
    {
        long length = shape.Aggregate(1L, (a, b) => a * b) * (type == OnnxType.Float ? 4 : 1);
        long offset = (_end + Alignment - 1) / Alignment * Alignment;
        _end = offset + length;
        return _locations[name] = new WeightLocation(type, shape, offset, length);
    }

    /// <summary>Makes a weight known to a graph.</summary>
    public string In(OnnxWriter graph, string name) => graph.Weight(name, _locations[name], FileName);
}
