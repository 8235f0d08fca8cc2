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

/// <summary>
/// Weighs vectors and words in one unit. A cosine counts in standard deviations above the background; the words count as BM25, and the
/// more of the question's weight any item covers, the more they are trusted: a question in another language shares a name with many
/// items and says nothing by that. The sum is divided by what a relevant item typically reaches, so 1 means the same for every question.
/// </summary>
internal static class MemoryFusion
{
    private const float TrustedCoverage = 0.12f, TypicalCoverage = 0.3f;
    private const long LeastItems = 50; // a store of three items would otherwise find every word common

    public static List<(MemoryCandidate Candidate, float Score, float Lexical)> Fuse(
        string question, ReadOnlyMemory<float> vector, MemorySearchResult found, MemoryBackground background)
    {
        long items = Math.Max(Math.Max(found.Items, background.Items), LeastItems);
        (string Term, double Weight)[] terms = question.Length == 0 ? [] : [.. LexicalTerms.Of(question).Distinct().Select(term => (term, Weight(term, found, background, items)))];
        float[] lexical = new float[found.Candidates.Count];
        for (int i = 0; terms.Length > 0 && i < lexical.Length; i++)
        {
            lexical[i] = Bm25.Score(terms, found.Candidates[i].Item.Text, background.AverageTerms);
        }

        float ceiling = MathF.Max(1e-3f, (float)Bm25.Ceiling(terms.Sum(term => term.Weight)));
        float coverage = lexical.Length == 0 ? 0 : lexical.Max() / ceiling;
        float trust = MathF.Pow(MathF.Min(1, coverage / TrustedCoverage), 2);

        // The most deviations chance alone brings among so many items.
        float chance = vector.IsEmpty ? 0 : MathF.Sqrt(2 * MathF.Log(items));
        float typical = (chance * (2 - (0.7f * trust))) + (TypicalCoverage * trust * ceiling);
        (float mean, float deviation) = vector.IsEmpty ? (0, 1) : background.Of(vector.Span);
        List<(MemoryCandidate, float, float)> fused = new(lexical.Length);
        for (int i = 0; i < lexical.Length; i++)
        {
            MemoryCandidate candidate = found.Candidates[i];
            float dense = vector.IsEmpty ? 0 : (TensorPrimitives.Dot(vector.Span, candidate.Item.Vector.Span) - mean) / deviation;
            fused.Add((candidate, (dense + (trust * lexical[i])) / MathF.Max(1e-3f, typical), lexical[i]));
        }

        // Equal scores: by id and range, so that the order does not depend on the store.
        fused.Sort((a, b) => a.Item2 != b.Item2 ? b.Item2.CompareTo(a.Item2)
            : string.CompareOrdinal(a.Item1.Item.Id, b.Item1.Item.Id) is not 0 and int order ? order : a.Item1.Item.Start.CompareTo(b.Item1.Item.Start));
        return fused;
    }

    private static double Weight(string term, MemorySearchResult found, MemoryBackground background, long items)
    {
        // A store that does not count its terms: the share in the sample.
        long holders = found.Holders is { } counted ? counted.GetValueOrDefault(term)
            : background.Sampled == 0 ? 0 : (long)((double)background.Holders.GetValueOrDefault(term) / background.Sampled * items);
        return Bm25.Weight(Math.Min(holders, items), items);
    }
}
