using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>One state of a catalogue, ready to be searched: its profiles, their vectors and their words.</summary>
/// <remarks>Immutable and thread-safe; a change of the catalogue makes a new one.</remarks>
internal sealed class ToolIndex
{
    public ToolIndex(IReadOnlyList<ToolProfile> profiles, int[] toolRows, ToolVectors route, ToolVectors match, IReadOnlyList<sbyte[]> smallTalk)
    {
        (Profiles, ToolRows, Route, Match) = (profiles, toolRows, route, match);
        Lexicon = new ToolLexicon(profiles);
        SmallTalk = Likeness(match, smallTalk);
    }

    /// <summary>The tools, in catalogue order.</summary>
    public IReadOnlyList<ToolProfile> Profiles { get; }

    /// <summary>Where each tool's rows begin, [tools + 1].</summary>
    public int[] ToolRows { get; }

    /// <summary>The shortest prefix of each row's vector: scans everything.</summary>
    public ToolVectors Route { get; }

    /// <summary>The full vector of each row: rescores.</summary>
    public ToolVectors Match { get; }

    public ToolLexicon Lexicon { get; }

    /// <summary>Mean of the best cosine that small talk reaches in this catalogue.</summary>
    public float SmallTalk { get; }

    public int Count => Profiles.Count;

    private static float Likeness(ToolVectors match, IReadOnlyList<sbyte[]> texts)
    {
        if (texts.Count == 0 || match.Rows == 0)
        {
            return 0;
        }

        float[] cosines = new float[match.Rows];
        float sum = 0;
        foreach (sbyte[] text in texts)
        {
            match.Scan(text, ToolVectors.Scale(text), cosines);
            sum += TensorPrimitives.Max<float>(cosines);
        }

        return sum / texts.Count;
    }
}
