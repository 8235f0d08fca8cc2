using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>An inverted index in memory with BM25. Not thread-safe; the store that owns it locks.</summary>
internal sealed class LexicalIndex
{
    private readonly Dictionary<string, List<Posting>> _postings = [];
    private readonly List<int> _lengths = []; // terms of each slot; -1 when removed
    private long _terms;
    private int _alive;

    private readonly record struct Posting(int Slot, int Count);

    /// <summary>Adds a text under the next slot; slots count up from 0.</summary>
    public void Add(string text)
    {
        int slot = _lengths.Count;
        List<string> terms = LexicalTerms.Of(text);
        foreach (string term in terms)
        {
            ref List<Posting>? list = ref CollectionsMarshal.GetValueRefOrAddDefault(_postings, term, out _);
            list ??= new(1);
            if (list.Count > 0 && list[^1].Slot == slot)
            {
                list[^1] = new Posting(slot, list[^1].Count + 1);
            }
            else
            {
                list.Add(new Posting(slot, 1));
            }
        }

        _lengths.Add(terms.Count);
        _terms += terms.Count;
        _alive++;
    }

    public void Remove(int slot)
    {
        _terms -= _lengths[slot];
        _lengths[slot] = -1;
        _alive--;
    }

    /// <summary>How many items hold the term, removed ones included until the store compacts.</summary>
    public int Holders(string term) => _postings.TryGetValue(term, out List<Posting>? list) ? Math.Min(list.Count, _alive) : 0;

    /// <summary>The best slots among those allowed, best first; equal scores keep slot order.</summary>
    public List<Scored> Search(string text, int take, Func<int, bool> allowed, CancellationToken cancellationToken)
    {
        Dictionary<int, float> scores = [];
        double average = _alive == 0 ? 1 : Math.Max(1, (double)_terms / _alive);
        foreach (string term in LexicalTerms.Of(text).Distinct())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_postings.TryGetValue(term, out List<Posting>? list))
            {
                continue;
            }

            // Removed slots still count as holders of the term until the store compacts: the weight drifts a little, the order hardly.
            double weight = Bm25.Weight(Math.Min(list.Count, _alive), _alive);
            foreach (Posting posting in list)
            {
                if (_lengths[posting.Slot] >= 0)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(scores, posting.Slot, out _) += (float)Bm25.Score(weight, posting.Count, _lengths[posting.Slot], average);
                }
            }
        }

        TopScored top = new(take);
        foreach ((int slot, float score) in scores)
        {
            if (top.Admits(score, slot) && allowed(slot))
            {
                top.Offer(score, slot);
            }
        }

        return top.BestFirst();
    }
}

/// <summary>The BM25 formula, one place for every store.</summary>
internal static class Bm25
{
    private const double Saturation = 0.9, LengthShare = 0.4;

    /// <summary>How much a term tells that <paramref name="holders"/> of <paramref name="items"/> items hold; never negative.</summary>
    public static double Weight(long holders, long items) => Math.Log(1 + ((items - holders + 0.5) / (holders + 0.5)));

    public static double Score(double weight, int count, int length, double averageLength) =>
        weight * count * (Saturation + 1) / (count + (Saturation * (1 - LengthShare + (LengthShare * length / averageLength))));

    /// <summary>The score of a text for weighted terms, for candidates that did not come from an index.</summary>
    public static float Score((string Term, double Weight)[] terms, string text, double averageLength) => Score(terms, LexicalTerms.Of(text), averageLength);

    /// <summary>The same, for a text that is cut into its terms already.</summary>
    public static float Score((string Term, double Weight)[] terms, List<string> held, double averageLength)
    {
        Span<int> counts = terms.Length <= 64 ? stackalloc int[terms.Length] : new int[terms.Length];
        foreach (string term in held)
        {
            for (int i = 0; i < terms.Length; i++)
            {
                counts[i] += string.Equals(terms[i].Term, term, StringComparison.Ordinal) ? 1 : 0;
            }
        }

        double score = 0;
        for (int i = 0; i < terms.Length; i++)
        {
            score += counts[i] == 0 ? 0 : Score(terms[i].Weight, counts[i], held.Count, Math.Max(1, averageLength));
        }

        return (float)score;
    }

    /// <summary>More than any text can score for terms of this weight in all.</summary>
    public static double Ceiling(double weight) => weight * (Saturation + 1);
}
