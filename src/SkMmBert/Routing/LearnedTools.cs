using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>What labelled questions have taught of single tools: a linear score of the question's vector for each; the best of them tells how surely one fits.</summary>
/// <remarks>Immutable and thread-safe. Belongs to one embedding model. Scoring allocates nothing.</remarks>
internal sealed class LearnedTools(string model, IReadOnlyList<string> names, float[] rows, float[] constants)
{
    /// <summary>Fingerprint of the embedding model.</summary>
    public string Model => model;

    /// <summary>Qualified names of the tools, [tools].</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>What a question's vector is multiplied with, [tools, width].</summary>
    public ReadOnlySpan<float> Rows => rows;

    /// <summary>What is added to that, [tools].</summary>
    public ReadOnlySpan<float> Constants => constants;

    /// <summary>How the signals of a search and the best score add up to the confidence, the constant last.</summary>
    public IReadOnlyList<float> Weights { get; init; } = [];

    /// <summary>The same with other weights.</summary>
    public LearnedTools With(IReadOnlyList<float> weights) => new(model, names, rows, constants) { Weights = weights };

    /// <summary>The row of each tool of a catalogue, -1 where nothing was learned of it.</summary>
    public int[] RowsOf(IReadOnlyList<ToolProfile> profiles)
    {
        Dictionary<string, int> known = new(StringComparer.Ordinal);
        for (int row = 0; row < names.Count; row++)
        {
            known.TryAdd(names[row], row);
        }

        return [.. profiles.Select(profile => known.GetValueOrDefault(profile.QualifiedName, -1))];
    }

    /// <summary>The best score of the catalogue's learned tools.</summary>
    /// <param name="toolRows">What <see cref="RowsOf"/> gave for the catalogue.</param>
    /// <param name="vector">The question's vector, of any length.</param>
    public float Best(ReadOnlySpan<int> toolRows, ReadOnlySpan<float> vector)
    {
        float length = TensorPrimitives.Norm(vector), best = float.NegativeInfinity;
        float scale = length > 0 ? 1 / length : 0;
        foreach (int row in toolRows)
        {
            if (row >= 0)
            {
                best = MathF.Max(best, (TensorPrimitives.Dot(vector, rows.AsSpan(row * vector.Length, vector.Length)) * scale) + constants[row]);
            }
        }

        return best;
    }
}
