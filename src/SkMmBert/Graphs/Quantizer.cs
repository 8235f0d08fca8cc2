using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Writes the weights file of the graphs: matrices transposed to [in, out], in int8 with one scale per output column.</summary>
/// <remarks>
/// A matrix that 8 bits cannot hold stays in fp32. Rounding takes 0.4 % of a matrix of evenly and 0.7 % of one of normally distributed weights, measured as the share of its
/// length (root of the sum of squares); where a few weights of each row are far larger than the rest, the rest is rounded away and the share grows.
/// </remarks>
internal static class Quantizer
{
    /// <summary>Most of a matrix's length that rounding may take: three times what it takes of a normal distribution.</summary>
    public const double MostLost = 0.02;

    /// <summary>Names of the matrices that stay in fp32 although the rest is int8.</summary>
    public static IReadOnlySet<string> Kept(EncoderConfig config, ModelPrecision precision, SafetensorsFolder source)
    {
        HashSet<string> kept = [];
        if (precision != ModelPrecision.Fp32)
        {
            foreach ((LayerWeight weight, float[] tensor) in Read(config, source))
            {
                if (weight.IsMatrix && Lost(Rows(weight, tensor), weight.RowCount, weight.Columns) > MostLost)
                {
                    kept.Add(weight.Name);
                }
            }
        }

        return kept;
    }

    /// <summary>The share of a matrix's length that rounding takes.</summary>
    public static double Lost(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        (sbyte[] values, float[] scales) = Quantize(matrix, rows, columns);
        float[] rounded = new float[columns];
        double lost = 0, whole = 0;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> source = matrix.Slice(row * columns, columns);
            TensorPrimitives.ConvertTruncating<sbyte, float>(values.AsSpan(row * columns, columns), rounded);
            TensorPrimitives.Multiply(rounded, scales[row], rounded);
            TensorPrimitives.Subtract(source, rounded, rounded);
            lost += TensorPrimitives.SumOfSquares<float>(rounded);
            whole += TensorPrimitives.SumOfSquares(source);
        }

        return whole > 0 ? Math.Sqrt(lost / whole) : 0;
    }

    /// <summary>Where every weight of a model lies in its weights file.</summary>
    public static GraphWeights Plan(EncoderConfig config, ModelPrecision precision, IReadOnlySet<string> kept)
    {
        GraphWeights plan = new();
        foreach (LayerWeight weight in Weights(config))
        {
            if (!weight.IsMatrix)
            {
                plan.Add(weight.Name, OnnxType.Float, weight.RowCount);
            }
            else if (precision == ModelPrecision.Fp32 || kept.Contains(weight.Name))
            {
                plan.Add(weight.Name, OnnxType.Float, weight.Columns, weight.RowCount);
            }
            else
            {
                plan.Add(weight.Name, OnnxType.Int8, weight.Columns, weight.RowCount);
                plan.Add(weight.Name + ".scale", OnnxType.Float, weight.RowCount);
            }
        }

        return plan;
    }

    /// <summary>The weights of all layers in file order.</summary>
    public static IEnumerable<LayerWeight> Weights(EncoderConfig config)
        => Enumerable.Range(0, config.Layers).SelectMany(layer => config.Architecture == EncoderConfig.Bert ? BertGraph.Weights(config, layer) : ModernBertGraph.Weights(config, layer));

    /// <summary>Writes all weights; memory stays at a few tensors.</summary>
    public static void Write(Stream stream, EncoderConfig config, GraphWeights plan, SafetensorsFolder source, IProgress<double>? progress)
    {
        int done = 0, all = Weights(config).Count();
        foreach ((LayerWeight weight, float[] tensor) in Read(config, source))
        {
            if (!weight.IsMatrix)
            {
                Put(stream, plan.Locations[weight.Name], MemoryMarshal.AsBytes<float>(tensor));
            }
            else
            {
                ReadOnlySpan<float> rows = Rows(weight, tensor);
                if (plan.Locations[weight.Name].Type == OnnxType.Float)
                {
                    Put(stream, plan.Locations[weight.Name], MemoryMarshal.AsBytes<float>(Transpose(rows, weight.RowCount, weight.Columns)));
                }
                else
                {
                    (sbyte[] values, float[] scales) = Quantize(rows, weight.RowCount, weight.Columns);
                    Put(stream, plan.Locations[weight.Name], MemoryMarshal.AsBytes<sbyte>(Transpose<sbyte>(values, weight.RowCount, weight.Columns)));
                    Put(stream, plan.Locations[weight.Name + ".scale"], MemoryMarshal.AsBytes<float>(scales));
                }
            }

            progress?.Report((double)++done / all);
        }
    }

    private static IEnumerable<(LayerWeight Weight, float[] Tensor)> Read(EncoderConfig config, SafetensorsFolder source)
    {
        string held = "";
        float[] tensor = [];
        foreach (LayerWeight weight in Weights(config))
        {
            if (held != weight.Tensor)   // the slices of a packed matrix follow one another
            {
                tensor = new float[weight.Rows * Math.Max(1, weight.Columns)];
                source.ToFloat32(weight.Tensor, tensor);
                held = weight.Tensor;
            }

            yield return (weight, tensor);
        }
    }

    private static ReadOnlySpan<float> Rows(LayerWeight weight, float[] tensor) => tensor.AsSpan(weight.FirstRow * weight.Columns, weight.RowCount * weight.Columns);

    /// <summary>Symmetric rounding to [-127, 127], one scale per row of [out, in], which is a column of the graph's matrix.</summary>
    public static (sbyte[] Values, float[] Scales) Quantize(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        sbyte[] values = new sbyte[rows * columns];
        float[] scales = new float[rows], scaled = new float[columns];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> source = matrix.Slice(row * columns, columns);
            float most = MathF.Abs(TensorPrimitives.MaxMagnitude(source));
            scales[row] = most == 0 ? 1 : most / 127f;
            TensorPrimitives.Divide(source, scales[row], scaled);
            TensorPrimitives.Round<float>(scaled, scaled);
            TensorPrimitives.ConvertSaturating<float, sbyte>(scaled, values.AsSpan(row * columns, columns));
        }

        return (values, scales);
    }

    // [rows, columns] → [columns, rows], in tiles that fit the first-level cache.
    private static T[] Transpose<T>(ReadOnlySpan<T> matrix, int rows, int columns)
    {
        const int tile = 32;
        T[] result = new T[rows * columns];
        for (int top = 0; top < rows; top += tile)
        {
            for (int left = 0; left < columns; left += tile)
            {
                for (int r = top; r < Math.Min(top + tile, rows); r++)
                {
                    for (int c = left; c < Math.Min(left + tile, columns); c++)
                    {
                        result[(c * rows) + r] = matrix[(r * columns) + c];
                    }
                }
            }
        }

        return result;
    }

    private static void Put(Stream stream, WeightLocation at, ReadOnlySpan<byte> bytes)
    {
        stream.Position = at.Offset;   // the gap stays a hole
        stream.Write(bytes);
    }
}
