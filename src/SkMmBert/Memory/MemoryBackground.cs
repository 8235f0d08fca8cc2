using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>What the vectors and words of a store look like when nothing is relevant: the measure for when something is.</summary>
/// <param name="Vectors">Vectors of unrelated texts and of items spread over the store.</param>
/// <param name="Holders">For each term, how many of <paramref name="Sampled"/> texts hold it.</param>
/// <param name="Sampled">Number of sampled texts.</param>
/// <param name="AverageTerms">Terms of a sampled text, on average.</param>
/// <param name="Items">Items in the store when the sample was taken.</param>
internal sealed record MemoryBackground(IReadOnlyList<ReadOnlyMemory<float>> Vectors, IReadOnlyDictionary<string, int> Holders, int Sampled, double AverageTerms, long Items)
{
    private const int Least = 64;

    /// <summary>The background of a store with some of its items; unrelated texts stand in only until it has enough of its own.</summary>
    public static MemoryBackground Of(IReadOnlyList<MemoryItem> sample, IReadOnlyList<ReadOnlyMemory<float>> unrelated, long items)
    {
        Dictionary<string, int> holders = [];
        long terms = 0;
        foreach (MemoryItem item in sample)
        {
            List<string> held = LexicalTerms.Of(item.Text);
            terms += held.Count;
            foreach (string term in held.Distinct())
            {
                holders[term] = holders.GetValueOrDefault(term) + 1;
            }
        }

        return new MemoryBackground([.. sample.Count < Least ? unrelated : [], .. sample.Select(item => item.Vector)], holders, sample.Count, sample.Count == 0 ? 20 : (double)terms / sample.Count, items);
    }

    /// <summary>Mean and standard deviation of the cosine between a question and texts that are not its answer.</summary>
    public (float Mean, float Deviation) Of(ReadOnlySpan<float> question)
    {
        float sum = 0, squares = 0;
        foreach (ReadOnlyMemory<float> vector in Vectors)
        {
            float cosine = TensorPrimitives.Dot(question, vector.Span);
            sum += cosine;
            squares += cosine * cosine;
        }

        float mean = sum / Vectors.Count;
        return (mean, MathF.Max(1e-3f, MathF.Sqrt(MathF.Max(0, (squares / Vectors.Count) - (mean * mean)))));
    }
}
