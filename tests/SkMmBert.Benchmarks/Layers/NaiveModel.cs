using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using SkMmBert.Tests;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>What a user gets from exporting the model the plain way (<c>goldens/naive-fullsize</c>), with the runtime's own optimisations on.</summary>
internal sealed class NaiveModel : IDisposable
{
    private readonly InferenceSession _session;

    public NaiveModel(string goldens, string root, int threads)
    {
        string folder = Folder(goldens, root);
        using SessionOptions options = new() { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new InferenceSession(Path.Combine(folder, "onnx", "model.onnx"), options);
    }

    /// <summary>A folder with the plain graph and its 1.2 GB of formula weights, written on first use; also what the JavaScript peer opens.</summary>
    public static string Folder(string goldens, string root)
    {
        string folder = Path.Combine(root, "naive-model"), onnx = Path.Combine(folder, "onnx");
        if (!File.Exists(Path.Combine(onnx, "model.onnx_data")) || !File.Exists(Path.Combine(onnx, "model.onnx")))
        {
            Directory.CreateDirectory(onnx);
            File.Copy(Path.Combine(goldens, "fullsize-formula", "config.json"), Path.Combine(folder, "config.json"), overwrite: true);
            WriteWeights(Path.Combine(goldens, "naive-fullsize", "weights.csv"), Path.Combine(onnx, "model.onnx_data"));
            File.WriteAllBytes(Path.Combine(onnx, "model.onnx"), WithUnderscore(File.ReadAllBytes(Path.Combine(goldens, "naive-fullsize", "model.onnx"))));
        }

        return folder;
    }

    /// <summary>Runs texts as one batch, padded on the right to the longest.</summary>
    public void Run(params IReadOnlyList<int[]> texts)
    {
        int rows = texts.Count, width = texts.Max(text => text.Length);
        long[] ids = new long[rows * width], mask = new long[rows * width];
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < texts[row].Length; i++)
            {
                (ids[(row * width) + i], mask[(row * width) + i]) = (texts[row][i], 1);
            }
        }

        using OrtValue idValue = OrtValue.CreateTensorValueFromMemory(ids, [rows, width]), maskValue = OrtValue.CreateTensorValueFromMemory(mask, [rows, width]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(options, ["input_ids", "attention_mask"], [idValue, maskValue], _session.OutputNames);
    }

    public void Dispose() => _session.Dispose();

    // The JavaScript peer looks for the weights under model.onnx_data; the graph says model.onnx.data, which is as long.
    private static byte[] WithUnderscore(byte[] graph)
    {
        ReadOnlySpan<byte> name = "model.onnx.data"u8;
        for (int at = graph.AsSpan().IndexOf(name); at >= 0; at = graph.AsSpan().IndexOf(name))
        {
            graph[at + "model.onnx".Length] = (byte)'_';
        }

        return graph;
    }

    private static void WriteWeights(string table, string path)
    {
        using FileStream file = File.Create(path);
        foreach (string line in File.ReadLines(table).Skip(1))
        {
            string[] cells = line.Split(',');
            float[] values = new float[long.Parse(cells[5], CultureInfo.InvariantCulture) / 4];
            FormulaModel.Fill(cells[1], FormulaModel.Scale(cells[1]), values);
            if (cells[2] == "1")
            {
                int[] shape = [.. cells[3].Split('x').Select(size => int.Parse(size, CultureInfo.InvariantCulture))];
                values = Transpose(values, shape[1], shape[0]);
            }

            file.Position = long.Parse(cells[4], CultureInfo.InvariantCulture);
            file.Write(MemoryMarshal.AsBytes<float>(values));
        }
    }

    private static float[] Transpose(float[] matrix, int rows, int columns)
    {
        float[] result = new float[matrix.Length];
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                result[(c * rows) + r] = matrix[(r * columns) + c];
            }
        }

        return result;
    }
}
