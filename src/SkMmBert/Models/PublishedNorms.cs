using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Where <c>final_norm</c> is applied to the states of published graphs, decided once when a folder is opened.</summary>
internal sealed class PublishedNorms
{
    private readonly HashSet<int> _applied = [];

    private PublishedNorms(IReadOnlyList<int> normed, float[] finalNorm) => (Normed, FinalNorm) = (normed, finalNorm);

    /// <summary>Exits whose graph norms its output.</summary>
    public IReadOnlyList<int> Normed { get; }

    /// <summary>The norm's scale, [hidden]; empty where it is never applied.</summary>
    public float[] FinalNorm { get; }

    /// <summary>Whether the norm is applied to the states of an exit.</summary>
    public bool IsApplied(int exit) => _applied.Contains(exit);

    /// <summary>Decides for every exit; a convention that the graphs cannot follow is an error that says what is missing.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="published">Its graphs.</param>
    /// <param name="convention">What is to happen at exits.</param>
    /// <param name="states">Runs a short text to an exit, [tokens, hidden]: for graphs whose operators do not tell.</param>
    public static PublishedNorms Of(string folder, PublishedFolder published, ExitNorm convention, Func<int, float[]> states)
    {
        EncoderConfig config = published.Config;
        Dictionary<int, (GraphEnd End, string? Scale)> ends = published.Graphs.ToDictionary(graph => graph.Key, graph => PublishedNorm.Of(graph.Value));
        bool decides = convention != ExitNorm.AsGraph && config.Architecture != EncoderConfig.Bert;   // every layer of BERT ends with a norm of its own
        float[]? scale = decides || ends.Values.Any(end => end.End == GraphEnd.Unknown) ? FindScale(folder, published, ends) : null;
        foreach (int exit in ends.Where(end => end.Value.End == GraphEnd.Unknown).Select(end => end.Key).ToArray())
        {
            if (scale is not null)
            {
                ends[exit] = (LooksNormed(states(exit), scale, config.NormEps) ? GraphEnd.Normed : GraphEnd.Raw, null);
            }
        }

        PublishedNorms norms = new([.. ends.Where(end => end.Value.End == GraphEnd.Normed).Select(end => end.Key).Order()], scale ?? []);
        foreach ((int exit, (GraphEnd end, string? _)) in ends.Where(_ => decides).OrderBy(end => end.Key))
        {
            bool wanted = convention == ExitNorm.FinalNorm || exit == config.Layers;
            if (end is GraphEnd.Unknown or GraphEnd.Pooled)
            {
                throw Refused(folder, convention, exit, end == GraphEnd.Pooled ? "pools its texts itself" : "ends with operators that do not tell whether it is normed", "run it as it is with ExitNorm.AsGraph");
            }

            if (end == GraphEnd.Normed && !wanted)
            {
                throw Refused(folder, convention, exit, "norms its output, which cannot be undone", "use ExitNorm.AsGraph or ExitNorm.FinalNorm");
            }

            if (end == GraphEnd.Raw && wanted)
            {
                if (scale is null || config.Architecture == PublishedFolder.Unknown)
                {
                    throw Refused(folder, convention, exit, $"is raw, and {(scale is null ? "final_norm.weight is neither in the graphs nor in a model.safetensors" : "there is no config.json with norm_eps")} to norm it with", "add that file to the folder, or use ExitNorm.AsGraph");
                }

                norms._applied.Add(exit);
            }
        }

        return norms;
    }

    private static InvalidDataException Refused(string folder, ExitNorm convention, int exit, string found, string remedy)
        => new($"The graph of layer {exit} in '{folder}' {found}. Expected: graphs that can follow ExitNorm.{convention}; {remedy}.");

    private static float[]? FindScale(string folder, PublishedFolder published, Dictionary<int, (GraphEnd End, string? Scale)> ends)
    {
        const string Name = "final_norm.weight";
        if (File.Exists(Path.Combine(folder, "model.safetensors")) || File.Exists(Path.Combine(folder, "model.safetensors.index.json")))
        {
            using SafetensorsFolder weights = SafetensorsFolder.Open(folder);
            foreach (SafetensorsFile file in weights.Files)
            {
                if (file.Tensors.Values.FirstOrDefault(tensor => IsNamed(tensor.Name)) is SafetensorsTensor tensor && tensor.Elements == published.Config.HiddenSize)
                {
                    float[] values = new float[tensor.Elements];
                    file.ToFloat32(tensor, 0, values);
                    return values;
                }
            }
        }

        // A normed graph has the scale under whatever name its exporter chose.
        IEnumerable<(OnnxFile File, string Name)> candidates = published.Graphs.SelectMany(graph => graph.Value.Weights.Keys.Where(IsNamed).Select(name => (graph.Value, name)))
            .Concat(ends.Where(end => end.Value is { End: GraphEnd.Normed, Scale: not null }).Select(end => (published.Graphs[end.Key], end.Value.Scale!)));
        return candidates.Where(candidate => candidate.File.Weights.ContainsKey(candidate.Name)).Select(candidate => candidate.File.Floats(candidate.Name))
            .FirstOrDefault(values => values?.Length == published.Config.HiddenSize);

        static bool IsNamed(string name) => name == Name || name.EndsWith("." + Name, StringComparison.Ordinal);
    }

    // A norm without bias leaves every token with mean 0 and variance 1 before its scale.
    private static bool LooksNormed(float[] states, float[] scale, float eps)
    {
        float[] before = new float[scale.Length];
        for (int start = 0; start < states.Length; start += scale.Length)
        {
            TensorPrimitives.Divide(states.AsSpan(start, scale.Length), scale, before);
            float mean = TensorPrimitives.Sum<float>(before) / before.Length, variance = (TensorPrimitives.SumOfSquares<float>(before) / before.Length) - (mean * mean);
            if (Math.Abs(mean) > 0.02 || Math.Abs(variance - 1) > 0.05 + eps)
            {
                return false;
            }
        }

        return true;
    }
}
