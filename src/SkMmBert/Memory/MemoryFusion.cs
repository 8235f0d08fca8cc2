using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>A candidate with its weight against the others.</summary>
internal readonly record struct FusedCandidate(MemoryCandidate Candidate, float Score);

/// <summary>
/// Weighs vectors and words in one unit. A cosine counts in standard deviations above the background; the words count as BM25, and the
/// more of the question's weight any item covers, the more they are trusted: a question in another language shares a name with many
/// items and says nothing by that. The sum is divided by what a relevant item typically reaches, so 1 means the same for every question.
/// The order follows from that alone; whether there is an answer at all is told by it and by what the candidates say together.
/// </summary>
internal static class MemoryFusion
{
    private const float TrustedCoverage = 0.12f, TypicalCoverage = 0.3f;
    private const long LeastItems = 50; // a store of three items would otherwise find every word common

    /// <summary>The candidates, best first, each with how sure it is that it answers, from 0 to 1.</summary>
    public static List<FusedCandidate> Fuse(string question, ReadOnlyMemory<float> vector, MemorySearchResult found, MemoryBackground background)
    {
        (List<FusedCandidate> weighed, AnswerSigns signs) = Weigh(question, vector, found, background);
        if (weighed.Count == 0)
        {
            return weighed;
        }

        // What the candidates say together is about the best of them; another is as much less sure as its own weight is less.
        AnswerModel model = question.Length > 0 && !vector.IsEmpty ? AnswerModel.Both : AnswerModel.Single;
        float best = model.Sureness(weighed[0].Score, signs) / AnswerModel.Single.Sureness(weighed[0].Score, signs);
        return [.. weighed.Select(candidate => candidate with { Score = best * AnswerModel.Single.Sureness(candidate.Score, signs) })];
    }

    /// <summary>The candidates, best first, with their weight alone, about 1 for a typical answer, and what they say together.</summary>
    public static (List<FusedCandidate> Candidates, AnswerSigns Signs) Weigh(string question, ReadOnlyMemory<float> vector, MemorySearchResult found, MemoryBackground background)
    {
        long items = Math.Max(Math.Max(found.Items, background.Items), LeastItems);
        (string Term, double Weight)[] terms = question.Length == 0 ? [] : [.. LexicalTerms.Of(question).Distinct().Select(term => (term, Weight(term, found, background, items)))];
        double asked = terms.Sum(term => term.Weight);
        int count = found.Candidates.Count;
        float[] lexical = new float[count], held = new float[count], dense = new float[count];
        (float mean, float deviation) = vector.IsEmpty ? (0, 1) : background.Of(vector.Span);
        for (int i = 0; i < count; i++)
        {
            MemoryItem item = found.Candidates[i].Item;
            dense[i] = vector.IsEmpty ? 0 : (TensorPrimitives.Dot(vector.Span, item.Vector.Span) - mean) / deviation;
            if (terms.Length > 0)
            {
                List<string> text = LexicalTerms.Of(item.Text);
                lexical[i] = Bm25.Score(terms, text, background.AverageTerms);
                held[i] = (float)(terms.Where(term => text.Contains(term.Term)).Sum(term => term.Weight) / Math.Max(1e-6, asked));
            }
        }

        float ceiling = MathF.Max(1e-3f, (float)Bm25.Ceiling(asked));
        float coverage = count == 0 ? 0 : lexical.Max() / ceiling;
        float trust = MathF.Pow(MathF.Min(1, coverage / TrustedCoverage), 2);

        // The most deviations chance alone brings among so many items.
        float chance = vector.IsEmpty ? 0 : MathF.Sqrt(2 * MathF.Log(items));
        float typical = MathF.Max(1e-3f, (chance * (2 - (0.7f * trust))) + (TypicalCoverage * trust * ceiling));
        List<FusedCandidate> fused = new(count);
        for (int i = 0; i < count; i++)
        {
            fused.Add(new FusedCandidate(found.Candidates[i], (dense[i] + (trust * lexical[i])) / typical));
        }

        // Equal scores: by id and range, so that the order does not depend on the store.
        fused.Sort((a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score)
            : string.CompareOrdinal(a.Candidate.Item.Id, b.Candidate.Item.Id) is not 0 and int order ? order : a.Candidate.Item.Start.CompareTo(b.Candidate.Item.Start));
        return (fused, AnswerSigns.Of(dense, lexical, held));
    }

    private static double Weight(string term, MemorySearchResult found, MemoryBackground background, long items)
    {
        // A store that does not count its terms: the share in the sample.
        long holders = found.Holders is { } counted ? counted.GetValueOrDefault(term)
            : background.Sampled == 0 ? 0 : (long)((double)background.Holders.GetValueOrDefault(term) / background.Sampled * items);
        return Bm25.Weight(Math.Min(holders, items), items);
    }
}
