using System.Runtime.InteropServices;

namespace SkMmBert.Cli;

/// <summary>What a user gets from exporting a model the plain way, run on the same runtime with the runtime's own optimisations on: what <c>bench</c> compares with.</summary>
/// <remarks>One graph from ids and mask to the last layer's states, dense masks over [S, S], packed matrices. Its files lie in a temporary folder that goes with it.</remarks>
internal sealed class PlainExport : IDisposable
{
    private const string Name = "plain.onnx";
    private readonly string _folder;
    private readonly PublishedGraph _graph;
    private readonly int _padId;

    private PlainExport(string folder, PublishedGraph graph, EncoderConfig config) => (_folder, _graph, _padId, Config) = (folder, graph, config.PadId, config);

    public EncoderConfig Config { get; }

    /// <summary>Exports the weights of a model folder and opens the graph.</summary>
    public static PlainExport Open(string modelFolder, int threads, IProgress<double>? progress = null)
    {
        EncoderConfig config = EncoderConfig.Read(modelFolder);
        string folder = Directory.CreateTempSubdirectory("skmmbert-plain-").FullName;
        try
        {
            Write(modelFolder, config, folder, progress);
            return new PlainExport(folder, new PublishedGraph(Path.Combine(folder, Name), threads, ExecutionDevice.Resolve(ModelDevice.Auto)), config);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Runs texts as one batch, padded on the right to the longest; states of all texts one after the other, [tokens, hidden], with the final norm applied.</summary>
    public float[] Run(TokenBatch batch, CancellationToken cancellationToken = default) => _graph.Run(batch, _padId, cancellationToken).States;

    public void Dispose()
    {
        _graph.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Write(string modelFolder, EncoderConfig config, string folder, IProgress<double>? progress)
    {
        PlainGraph plain = new(config);
        File.WriteAllBytes(Path.Combine(folder, Name), config.Architecture == EncoderConfig.Bert ? PlainBert.Build(plain) : PlainModernBert.Build(plain));
        using SafetensorsFolder weights = SafetensorsFolder.Open(modelFolder, config);
        using FileStream data = new(Path.Combine(folder, GraphWeights.FileName), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        (string Tensor, bool Transposed)[] used = [.. plain.Used];
        for (int i = 0; i < used.Length; i++)
        {
            (string tensor, bool transposed) = used[i];
            WeightLocation at = plain.Weights.Locations[tensor];
            data.Position = at.Offset;
            if (transposed)
            {
                float[] matrix = new float[at.Length / sizeof(float)], turned = new float[matrix.Length];
                weights.ToFloat32(tensor, matrix);
                Transpose(matrix, turned, (int)at.Shape[1], (int)at.Shape[0]);
                data.Write(MemoryMarshal.AsBytes<float>(turned));
            }
            else
            {
                Copy(weights, tensor, at.Length / sizeof(float), data);
            }

            progress?.Report((i + 1.0) / used.Length);
        }
    }

    // The token table is large: a part at a time.
    private static void Copy(SafetensorsFolder weights, string tensor, long values, FileStream data)
    {
        float[] part = new float[(int)Math.Min(values, 1 << 20)];
        for (long first = 0; first < values; first += part.Length)
        {
            Span<float> now = part.AsSpan(0, (int)Math.Min(part.Length, values - first));
            weights.ReadFloat32(tensor, now, first);
            data.Write(MemoryMarshal.AsBytes(now));
        }
    }

    // [rows, columns] to [columns, rows].
    private static void Transpose(float[] matrix, float[] turned, int rows, int columns)
    {
        const int tile = 32;
        for (int top = 0; top < rows; top += tile)
        {
            for (int left = 0; left < columns; left += tile)
            {
                for (int r = top; r < Math.Min(top + tile, rows); r++)
                {
                    for (int c = left; c < Math.Min(left + tile, columns); c++)
                    {
                        turned[(c * rows) + r] = matrix[(r * columns) + c];
                    }
                }
            }
        }
    }
}
