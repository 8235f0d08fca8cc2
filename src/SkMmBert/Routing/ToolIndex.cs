using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>One state of a catalogue, ready to be searched: its profiles, their vectors and their words.</summary>
/// <remarks>Immutable and thread-safe; a change of the catalogue makes a new one.</remarks>
internal sealed class ToolIndex
{
    public ToolIndex(IReadOnlyList<ToolProfile> profiles, int[] rowTools, ToolVectors route, ToolVectors match, IReadOnlyList<sbyte[]> smallTalk)
    {
        (Profiles, RowTools, Route, Match) = (profiles, rowTools, route, match);
        Lexicon = new ToolLexicon(profiles);
        (SmallTalkMean, SmallTalkSpread) = SmallTalk(match, smallTalk);
    }

    /// <summary>The tools, in catalogue order.</summary>
    public IReadOnlyList<ToolProfile> Profiles { get; }

    /// <summary>The tool of each row; rows of one tool are neighbours, [rows].</summary>
    public int[] RowTools { get; }

    /// <summary>The shortest prefix of each row's vector: scans everything.</summary>
    public ToolVectors Route { get; }

    /// <summary>The full vector of each row: rescores.</summary>
    public ToolVectors Match { get; }

    public ToolLexicon Lexicon { get; }

    /// <summary>Mean and spread of the best cosine that small talk reaches in this catalogue.</summary>
    public float SmallTalkMean { get; }

    public float SmallTalkSpread { get; }

    public int Count => Profiles.Count;

    private static (float Mean, float Spread) SmallTalk(ToolVectors match, IReadOnlyList<sbyte[]> texts)
    {
        if (texts.Count == 0 || match.Rows == 0)
        {
            return (0, 1);
        }

        float[] best = new float[texts.Count], cosines = new float[match.Rows];
        for (int i = 0; i < best.Length; i++)
        {
            match.Scan(texts[i], ToolVectors.Scale(texts[i]), cosines);
            best[i] = TensorPrimitives.Max<float>(cosines);
        }

        float mean = TensorPrimitives.Average<float>(best);
        return (mean, MathF.Max(0.02f, MathF.Sqrt((TensorPrimitives.SumOfSquares<float>(best) / best.Length) - (mean * mean))));
    }
}
