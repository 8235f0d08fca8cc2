namespace SkMmBert;

/// <summary>What all candidates of a question say together about whether any of them answers it.</summary>
/// <param name="Agreement">How far above the background the vector puts what the words put first, in standard deviations.</param>
/// <param name="Coverage">The largest share of the question's weight in words that one candidate holds.</param>
/// <param name="OtherCoverage">The share that the next candidates hold, on average: words that many share say little.</param>
internal readonly record struct AnswerSigns(float Agreement, float Coverage, float OtherCoverage)
{
    private const int Others = 9;

    /// <summary>Reads the signs off the candidates: dense in deviations, lexical as BM25, held as shares of the question.</summary>
    public static AnswerSigns Of(ReadOnlySpan<float> dense, ReadOnlySpan<float> lexical, ReadOnlySpan<float> held)
    {
        if (dense.IsEmpty)
        {
            return default;
        }

        int best = 0;
        for (int i = 1; i < dense.Length; i++)
        {
            best = lexical[i] > lexical[best] || (lexical[i] == lexical[best] && dense[i] > dense[best]) ? i : best;
        }

        float[] shares = held.ToArray();
        Array.Sort(shares, static (a, b) => b.CompareTo(a));
        float others = 0;
        int compared = Math.Min(Others, shares.Length - 1);
        for (int i = 1; i <= compared; i++)
        {
            others += shares[i] / compared;
        }

        return new AnswerSigns(dense[best], shares[0], others);
    }
}
