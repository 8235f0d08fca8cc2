namespace SkMmBert;

/// <summary>A cache folder with the graphs of one model in one precision.</summary>
/// <remarks>
/// <c>weights.bin</c> holds the weights of all layers in the form of the graphs; <c>layers-A-B.onnx</c> with its <c>.data</c> is the stretch from layer A to B,
/// packed for this processor. Stretches between published exits are written when the folder is made, others when they are asked for.
/// </remarks>
internal sealed class GraphFolder(string path, EncoderConfig config, ModelPrecision precision, AttentionForm form)
{
    // One name a line: the matrices that stay in fp32 although the rest is int8.
    private const string KeptName = "kept.txt";

    private readonly Lock _writing = new();
    private GraphWeights? _weights;

    public string Folder => path;

    /// <summary>How attention is written into the graphs.</summary>
    public AttentionForm Form => form;

    /// <summary>The file with the graph of layers <paramref name="from"/> to <paramref name="to"/>, written if it is not there.</summary>
    /// <param name="from">First layer.</param>
    /// <param name="to">Layer after the last.</param>
    /// <param name="prepare">Writes the packed form of a graph file.</param>
    public string Stretch(int from, int to, Action<string, string> prepare)
    {
        string name = $"layers-{from}-{to}.onnx", file = Path.Combine(path, name);
        lock (_writing)
        {
            if (!File.Exists(file))
            {
                Write(from, to, name, prepare);
            }
        }

        return file;
    }

    /// <summary>Writes the weights of all layers; the longest part of opening a model for the first time.</summary>
    public void WriteWeights(SafetensorsFolder source, IProgress<double>? progress)
    {
        IReadOnlySet<string> kept = Quantizer.Kept(config, precision, source);
        File.WriteAllLines(Path.Combine(path, KeptName), kept.Order(StringComparer.Ordinal));
        _weights = Quantizer.Plan(config, precision, kept);
        AtomicFile.Write(Path.Combine(path, GraphWeights.FileName), stream => Quantizer.Write(stream, config, _weights, source, progress));
    }

    // The packed graph names its data file, so both are made under their final names in a folder of their own and moved, the data first.
    private void Write(int from, int to, string name, Action<string, string> prepare)
    {
        _weights ??= Quantizer.Plan(config, precision, File.ReadLines(Path.Combine(path, KeptName)).ToHashSet());
        byte[] graph = config.Architecture == EncoderConfig.Bert ? BertGraph.Build(config, _weights, from, to, precision, form) : ModernBertGraph.Build(config, _weights, from, to, precision, form);
        string plain = Path.Combine(path, $"{name}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp"), workshop = plain + ".d";
        Directory.CreateDirectory(workshop);
        try
        {
            File.WriteAllBytes(plain, graph);
            prepare(plain, Path.Combine(workshop, name));
            foreach (string made in Directory.EnumerateFiles(workshop).OrderByDescending(file => file.EndsWith(".data", StringComparison.Ordinal)))
            {
                File.Move(made, Path.Combine(path, Path.GetFileName(made)), overwrite: true);
            }
        }
        finally
        {
            File.Delete(plain);
            Directory.Delete(workshop, recursive: true);
        }
    }
}
