using System.Text.Json;

namespace SkMmBert.Tests;

/// <summary>Reads golden files of the reference implementations.</summary>
internal static class Goldens
{
    /// <summary>Where this run keeps the graphs it writes.</summary>
    public static string CacheFolder { get; } = Path.Combine(Paths.Root, "artifacts", "test-graphs");

    public static ModelOptions Options { get; } = new() { CacheFolder = CacheFolder };

    public static SafetensorsFile Tensors(params string[] path) => SafetensorsFile.Open(Path.Combine([Paths.Goldens, .. path]));

    public static float[] Read(this SafetensorsFile file, string name)
    {
        float[] values = new float[file.Find(name).Elements];
        file.ToFloat32(name, values);
        return values;
    }

    public static JsonElement Json(params string[] path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine([Paths.Goldens, .. path])));
        return document.RootElement.Clone();
    }

    public static int[] Ints(this JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];

    /// <summary>The token ids of a golden folder's texts.</summary>
    public static int[][] Texts(string folder) => [.. Json(folder, "cases.json").GetProperty("texts").EnumerateArray().Select(text => text.GetProperty("ids").Ints())];

    public static double MaxDifference(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length)
        {
            throw new ArgumentException($"{actual.Length} values against {expected.Length}.");
        }

        double most = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            // NaN must not pass as small.
            most = Math.Max(most, float.IsFinite(actual[i]) ? Math.Abs(actual[i] - expected[i]) : double.PositiveInfinity);
        }

        return most;
    }

    /// <summary>The first values of a vector, brought to length 1.</summary>
    public static float[] Unit(ReadOnlySpan<float> vector, int dimensions)
    {
        double norm = 0;
        foreach (float value in vector[..dimensions])
        {
            norm += (double)value * value;
        }

        float[] unit = new float[dimensions];
        for (int i = 0; i < dimensions; i++)
        {
            unit[i] = (float)(vector[i] / Math.Sqrt(norm));
        }

        return unit;
    }
}
