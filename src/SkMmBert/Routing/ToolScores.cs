using System.Buffers;
using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Scores of one question against a catalogue, in rented arrays; disposing gives them back.</summary>
/// <remarks>Not thread-safe: one call owns it. Allocates nothing once the array pool is warm.</remarks>
internal struct ToolScores : IDisposable
{
    // Up to this many bytes a scan of the full vectors stays in the processor's cache; above it the short prefix goes first.
    private const int FullScanBytes = 4 << 20;
    private const int Shortlist = 768;
    private const int LexicalShortlist = 128;
    private const int Bins = 512;

    private float[] _dense, _lexical, _names, _best, _rows;
    private sbyte[] _bytes;

    /// <summary>Likeness of the tool and the question, [tools]: half the whole question's, half that of the part that fits best.</summary>
    public readonly Span<float> Dense => _dense.AsSpan(0, Count);

    /// <summary>BM25, [tools].</summary>
    public readonly Span<float> Lexical => _lexical.AsSpan(0, Count);

    /// <summary>Share of the tool's name that the question says, [tools].</summary>
    public readonly Span<float> Names => _names.AsSpan(0, Count);

    /// <summary>Free for the caller, [tools].</summary>
    public readonly Span<float> Mixed => _best.AsSpan(0, Count);

    /// <summary>Number of tools.</summary>
    public int Count { get; private set; }

    public float DenseMean { get; private set; }

    public float DenseSpread { get; private set; }

    /// <summary>What the words of the last turn are.</summary>
    public ToolQueryTerms Terms { get; private set; }

    /// <summary>Weight of the question's words that some tool has, as a share of all.</summary>
    public readonly float KnownShare => Terms.TotalWeight > 0 ? Terms.FoundWeight / Terms.TotalWeight : 0;

    /// <summary>Best BM25 of a tool, as a share of the weight of all words.</summary>
    public float MetShare { get; private set; }

    /// <summary>Matches a question with every tool.</summary>
    public static ToolScores Of(ToolIndex index, ToolQuery query)
    {
        int count = index.Count;
        ToolScores scores = new()
        {
            Count = count,
            _dense = ArrayPool<float>.Shared.Rent(count),
            _lexical = ArrayPool<float>.Shared.Rent(count),
            _names = ArrayPool<float>.Shared.Rent(count),
            _best = ArrayPool<float>.Shared.Rent(count),
            _rows = ArrayPool<float>.Shared.Rent(index.Match.Rows),
            _bytes = ArrayPool<sbyte>.Shared.Rent(index.Match.Width + index.Route.Width),
        };
        scores.Lexical.Clear();
        scores.Names.Clear();
        for (int i = 0; i < query.Texts.Length; i++)
        {
            ToolQueryTerms terms = index.Lexicon.Score(query.Texts[i], query.Factors[i], scores.Lexical, scores.Names);
            scores.Terms = i == 0 ? terms : scores.Terms;
        }

        if (count == 0)
        {
            return scores;
        }

        scores.MetShare = scores.Terms.TotalWeight > 0 ? TensorPrimitives.Max<float>(scores.Lexical) / scores.Terms.TotalWeight : 0;
        scores.Scan(index, query.Views[0], scores.Dense);
        if (query.Views.Length > 1)
        {
            scores.Dense.CopyTo(scores.Mixed);
            for (int view = 1; view < query.Views.Length; view++)
            {
                scores.Scan(index, query.Views[view], scores.Mixed, keep: true);
            }

            TensorPrimitives.Add(scores.Dense, scores.Mixed, scores.Dense);
            TensorPrimitives.Multiply(scores.Dense, 0.5f, scores.Dense);
        }

        float mean = TensorPrimitives.Sum<float>(scores.Dense) / count;
        float squares = TensorPrimitives.SumOfSquares<float>(scores.Dense) / count;
        scores.DenseMean = mean;
        scores.DenseSpread = MathF.Sqrt(MathF.Max(squares - (mean * mean), 1e-6f));
        return scores;
    }

    public readonly void Dispose()
    {
        ArrayPool<float>.Shared.Return(_dense);
        ArrayPool<float>.Shared.Return(_lexical);
        ArrayPool<float>.Shared.Return(_names);
        ArrayPool<float>.Shared.Return(_best);
        ArrayPool<float>.Shared.Return(_rows);
        ArrayPool<sbyte>.Shared.Return(_bytes);
    }

    // Writes the likeness of each tool and one vector; keep: only where it is better than what is there.
    private readonly void Scan(ToolIndex index, float[] view, Span<float> best, bool keep = false)
    {
        if (!keep)
        {
            best.Fill(-1);
        }

        ToolVectors match = index.Match, route = index.Route;
        Span<sbyte> wide = _bytes.AsSpan(0, match.Width), narrow = _bytes.AsSpan(match.Width, route.Width);
        Span<float> cosines = _rows.AsSpan(0, match.Rows);
        float wideScale = ToolVectors.Quantize(view.AsSpan(0, match.Width), wide);
        if ((long)match.Rows * match.Width <= FullScanBytes || match.Rows <= Shortlist)
        {
            match.Scan(wide, wideScale, cosines);
        }
        else
        {
            route.Scan(narrow, ToolVectors.Quantize(view.AsSpan(0, route.Width), narrow), cosines);
            Rescore(index, wide, wideScale, cosines);
        }

        ReadOnlySpan<int> starts = index.ToolRows;
        for (int tool = 0; tool < best.Length; tool++)
        {
            best[tool] = MathF.Max(best[tool], Best(cosines[starts[tool]..starts[tool + 1]]));
        }
    }

    /// <summary>Likeness of a tool by the cosines of its rows: half what it says of itself, half its examples.</summary>
    /// <remarks>
    /// Of the examples, the best one and the best three count alike, since one lucky example is no evidence yet. Measured on label sets, the two halves
    /// beat the best row by 1 to 4 points, and questions that fit no tool seldom come near both.
    /// </remarks>
    public static float Best(ReadOnlySpan<float> rows)
    {
        if (rows.Length == 1)
        {
            return rows[0];
        }

        float first = float.MinValue, second = float.MinValue, third = float.MinValue;
        foreach (float cosine in rows[1..])
        {
            if (cosine > third)
            {
                third = cosine;
                if (third > second)
                {
                    (second, third) = (third, second);
                }

                if (second > first)
                {
                    (first, second) = (second, first);
                }
            }
        }

        float three = rows.Length switch { 2 => first, 3 => (first + second) / 2, _ => (first + second + third) / 3 };
        return (rows[0] + ((first + three) / 2)) / 2;
    }

    // Full-width cosines for the best rows of the short prefix and of the words; the others are moved to the full width's scale, below them.
    private readonly void Rescore(ToolIndex index, ReadOnlySpan<sbyte> wide, float wideScale, Span<float> cosines)
    {
        ToolVectors match = index.Match;
        float sumNarrow = 0, sumWide = 0, squaresNarrow = 0, squaresWide = 0;
        int samples = 0, step = Math.Max(1, cosines.Length / 256);
        for (int row = 0; row < cosines.Length; row += step, samples++)
        {
            float full = match.Cosine(row, wide, wideScale);
            (sumNarrow, sumWide) = (sumNarrow + cosines[row], sumWide + full);
            (squaresNarrow, squaresWide) = (squaresNarrow + (cosines[row] * cosines[row]), squaresWide + (full * full));
        }

        float meanNarrow = sumNarrow / samples, meanWide = sumWide / samples;
        float ratio = MathF.Sqrt(MathF.Max((squaresWide / samples) - (meanWide * meanWide), 1e-8f) / MathF.Max((squaresNarrow / samples) - (meanNarrow * meanNarrow), 1e-8f));
        float floor = Floor(cosines, -1, 1, Shortlist);
        float most = TensorPrimitives.Max<float>(Lexical);
        float words = most > 0 ? Floor(Lexical, 0, most, LexicalShortlist) : float.PositiveInfinity;
        float cap = meanWide + ((floor - meanNarrow) * ratio);
        for (int tool = 0; tool < Count; tool++)
        {
            for (int row = index.ToolRows[tool]; row < index.ToolRows[tool + 1]; row++)
            {
                cosines[row] = cosines[row] >= floor || _lexical[tool] >= words
                    ? match.Cosine(row, wide, wideScale)
                    : MathF.Min(meanWide + ((cosines[row] - meanNarrow) * ratio), cap);
            }
        }
    }

    // The value that at most `keep` of the scores reach (more when they are all alike): counted in bins, since sorting would cost more than the scan.
    private static float Floor(ReadOnlySpan<float> scores, float low, float high, int keep)
    {
        Span<int> counts = stackalloc int[Bins];
        counts.Clear();
        float scale = (Bins - 1) / (high - low);
        foreach (float score in scores)
        {
            counts[Math.Clamp((int)((score - low) * scale), 0, Bins - 1)]++;
        }

        int bin = Bins - 1;
        for (int above = counts[bin]; bin > 1 && above + counts[bin - 1] <= keep; above += counts[--bin])
        {
        }

        return low + (bin / scale);
    }
}
