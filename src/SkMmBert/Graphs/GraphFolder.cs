namespace SkMmBert;

/// <summary>A cache folder with the graphs of one model in one precision: a shared weights file and one small file for each stretch of layers.</summary>
internal sealed class GraphFolder(string path, EncoderConfig config, ModelPrecision precision)
{
    private readonly GraphWeights _weights = Quantizer.Plan(config, precision);
    private readonly Lock _writing = new();

    /// <summary>The file with the graph of layers <paramref name="from"/> to <paramref name="to"/>; written when asked for the first time.</summary>
    public string Stretch(int from, int to)
    {
        string file = Path.Combine(path, $"layers-{from}-{to}.onnx");
        lock (_writing)
        {
            if (!File.Exists(file))
            {
                byte[] graph = config.Architecture == EncoderConfig.Bert ? BertGraph.Build(config, _weights, from, to, precision) : ModernBertGraph.Build(config, _weights, from, to, precision);
                AtomicFile.Write(file, stream => stream.Write(graph));
            }
        }

        return file;
    }

    /// <summary>Writes the weights of all layers; the longest part of opening a model for the first time.</summary>
    public void WriteWeights(SafetensorsFolder source, IProgress<double>? progress)
        => AtomicFile.Write(Path.Combine(path, GraphWeights.FileName), stream => Quantizer.Write(stream, config, precision, _weights, source, progress));
}
