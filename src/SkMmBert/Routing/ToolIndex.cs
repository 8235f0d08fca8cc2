namespace SkMmBert;

/// <summary>One state of a catalogue, ready to be searched: its profiles, their vectors and their words.</summary>
/// <remarks>Immutable and thread-safe; a change of the catalogue makes a new one.</remarks>
internal sealed class ToolIndex
{
    public ToolIndex(IReadOnlyList<ToolProfile> profiles, int[] toolRows, ToolVectors route, ToolVectors match, IReadOnlyList<sbyte[]> smallTalk, LearnedTools? learned)
    {
        (Profiles, ToolRows, Route, Match) = (profiles, toolRows, route, match);
        Lexicon = new ToolLexicon(profiles);
        SmallTalk = Likeness(match, toolRows, smallTalk);
        Learned = learned;
        LearnedRows = learned?.RowsOf(profiles) ?? [];
        Described = profiles.Count == 0 ? 0 : (float)profiles.Count(profile => !string.IsNullOrWhiteSpace(profile.Description)) / profiles.Count;
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

    /// <summary>Mean of the best score that small talk reaches in this catalogue.</summary>
    public float SmallTalk { get; }

    /// <summary>Share of the tools that have a description: the words of bare names are common ones and prove little.</summary>
    public float Described { get; }

    /// <summary>What the calibration has learned of single tools; <see langword="null"/> without any.</summary>
    public LearnedTools? Learned { get; }

    /// <summary>The learned row of each tool, -1 where nothing was learned of it; empty without any.</summary>
    public int[] LearnedRows { get; }

    public int Count => Profiles.Count;

    private static float Likeness(ToolVectors match, int[] toolRows, IReadOnlyList<sbyte[]> texts)
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
            float most = -1;
            for (int tool = 0; tool + 1 < toolRows.Length; tool++)
            {
                most = MathF.Max(most, ToolScores.Best(cosines.AsSpan(toolRows[tool]..toolRows[tool + 1])));
            }

            sum += most;
        }

        return sum / texts.Count;
    }
}
