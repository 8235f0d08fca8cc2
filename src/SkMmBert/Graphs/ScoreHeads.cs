using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>The score heads of a reranker, one for each (exit, dimension): Linear(d, d/2) → GELU → Linear(d/2, 1) over the first d entries of a pooled state. Thread-safe.</summary>
internal sealed class ScoreHeads
{
    private const string SafeName = "classification_heads.safetensors", TorchName = "classification_heads.pt";

    private readonly Dictionary<(int Exit, int Dimension), Head> _heads = [];

    private ScoreHeads(IReadOnlyList<int> exits, IReadOnlyList<int> dimensions, string path) => (Exits, Dimensions, Path) = (exits, dimensions, path);

    /// <summary>Exits that have heads, ascending.</summary>
    public IReadOnlyList<int> Exits { get; }

    /// <summary>Dimensions of the heads at each exit, descending.</summary>
    public IReadOnlyList<int> Dimensions { get; }

    /// <summary>The file they came from.</summary>
    public string Path { get; }

    public static bool Exist(string folder) => File.Exists(System.IO.Path.Combine(folder, SafeName)) || File.Exists(System.IO.Path.Combine(folder, TorchName));

    /// <summary>Reads the heads of a folder. The safetensors file wins; a broken one is an error and never a reason to look at the other.</summary>
    public static ScoreHeads Read(string folder, EncoderConfig config)
    {
        string safe = System.IO.Path.Combine(folder, SafeName), torch = System.IO.Path.Combine(folder, TorchName);
        return File.Exists(safe) ? ReadFile(safe, config.Exits, config.Dimensions)
            : File.Exists(torch) ? ReadFile(torch, config.Exits, config.Dimensions)
            : throw new FileNotFoundException($"'{folder}' has no score heads. Expected: {SafeName} or {TorchName}; it is an embedding model or an incomplete download, take a reranker.", safe);
    }

    /// <summary>Reads the heads of the given exits and dimensions from a file; a missing tensor or another shape is named.</summary>
    public static ScoreHeads ReadFile(string path, IReadOnlyList<int> exits, IReadOnlyList<int> dimensions)
    {
        IReadOnlyDictionary<string, TorchTensor> tensors = path.EndsWith(".safetensors", StringComparison.Ordinal) ? ReadSafetensors(path) : TorchCheckpoint.Read(path);
        ScoreHeads heads = new([.. exits.Order()], [.. dimensions.OrderDescending()], path);
        HashSet<string> used = [];
        foreach (int exit in heads.Exits)
        {
            foreach (int d in heads.Dimensions)
            {
                heads._heads.Add((exit, d), new Head(Take(exit, d, "0.weight", d / 2, d), Take(exit, d, "0.bias", d / 2), Take(exit, d, "3.weight", 1, d / 2), Take(exit, d, "3.bias", 1)[0]));
                string prefix = $"{exit}.{d}.";
                if (tensors.Keys.FirstOrDefault(name => name.StartsWith(prefix, StringComparison.Ordinal) && !used.Contains(name)) is string extra)
                {
                    throw new InvalidDataException($"'{path}' has a tensor \"{extra}\" that no head uses. Expected: 0.weight, 0.bias, 3.weight and 3.bias under {prefix}; use a reranker of the published kind.");
                }
            }
        }

        return heads;

        float[] Take(int exit, int dimension, string part, params long[] shape)
        {
            string name = $"{exit}.{dimension}.{part}";
            used.Add(name);
            return !tensors.TryGetValue(name, out TorchTensor? tensor)
                ? throw new InvalidDataException($"'{path}' has no tensor \"{name}\". Expected: shape [{string.Join(", ", shape)}] by matryoshka_config.json; they do not belong together, download both again.")
                : tensor.Shape.AsSpan().SequenceEqual(shape) ? tensor.Values
                : throw new InvalidDataException(
                    $"'{path}' has tensor \"{name}\" in shape [{string.Join(", ", tensor.Shape)}]. Expected: [{string.Join(", ", shape)}] by matryoshka_config.json; they do not belong together, download both again.");
        }
    }

    /// <summary>Computes the logits of pooled states, [rows, hidden] of which each head reads the first entries.</summary>
    public void Score(int exit, int dimension, ReadOnlySpan<float> pooled, int hidden, Span<float> logits)
    {
        if (!_heads.TryGetValue((exit, dimension), out Head? head))
        {
            throw new ArgumentException($"There is no head at exit {exit} and dimension {dimension}. Expected: one of the exits {string.Join(", ", Exits)} and of the dimensions {string.Join(", ", Dimensions)}.");
        }

        Span<float> inner = head.Bias.Length <= 1_024 ? stackalloc float[head.Bias.Length] : new float[head.Bias.Length];
        for (int row = 0; row < logits.Length; row++)
        {
            ReadOnlySpan<float> state = pooled.Slice(row * hidden, dimension);
            for (int i = 0; i < inner.Length; i++)
            {
                inner[i] = Gelu(TensorPrimitives.Dot(head.Weight.AsSpan(i * dimension, dimension), state) + head.Bias[i]);
            }

            logits[row] = TensorPrimitives.Dot(inner, head.Out) + head.OutBias;
        }
    }

    /// <summary>x Φ(x), with the exact error function.</summary>
    internal static float Gelu(float x) => (float)(0.5 * x * (1 + Erf(x * 0.70710678118654752440)));

    /// <summary>The error function: exp(-x²) · 2/√π · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms all have one sign.</summary>
    internal static double Erf(double x)
    {
        if (Math.Abs(x) >= 6)
        {
            // 1 - erf(6) is below the precision of a double.
            return Math.Sign(x);
        }

        double square = x * x, term = x, sum = x;
        for (int n = 1; Math.Abs(term) > Math.Abs(sum) * 1e-17; n++)
        {
            term *= 2 * square / ((2 * n) + 1);
            sum += term;
        }

        return double.IsNaN(x) ? double.NaN : 1.1283791670955126 * Math.Exp(-square) * sum;
    }

    private static Dictionary<string, TorchTensor> ReadSafetensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Dictionary<string, TorchTensor> tensors = new(StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
        {
            float[] values = new float[tensor.Elements];
            file.ToFloat32(tensor, 0, values);
            tensors.Add(tensor.Name, new TorchTensor([.. tensor.Shape], values));
        }

        return tensors;
    }

    private sealed record Head(float[] Weight, float[] Bias, float[] Out, float OutBias);
}
