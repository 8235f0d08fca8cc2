namespace SkMmBert;

/// <summary>Which tools a question needs, and why.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
public sealed record RoutingDecision
{
    /// <summary>The tools to show, best first; empty when none fits.</summary>
    public IReadOnlyList<RoutedTool> Tools { get; init; } = [];

    /// <summary>The best tools that were considered, chosen or not, best first, with the scores that decided.</summary>
    public IReadOnlyList<RoutedTool> Candidates { get; init; } = [];

    /// <summary>Whether no tool fits: <see cref="Tools"/> then holds only those included for another reason.</summary>
    public bool Abstained { get; init; }

    /// <summary>Chance that the best tool fits the question, from 0 to 1.</summary>
    public float Confidence { get; init; }

    /// <summary>The confidence below which the decision is that no tool fits.</summary>
    public float Threshold { get; init; }

    /// <summary>Difference of the two best scores, as a share of the best.</summary>
    public float Margin { get; init; }

    /// <summary>Number of tools in the catalogue.</summary>
    public int CatalogueSize { get; init; }

    /// <summary>Time from the question to the decision, embedding included.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>One sentence for a log: what was decided by which numbers.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What went wrong when the router could not decide; all tools are then passed on.</summary>
    /// <value><see langword="null"/> when it decided.</value>
    public Exception? Error { get; init; }
}

/// <summary>A tool of a decision.</summary>
/// <param name="Profile">The tool.</param>
/// <param name="Index">Its place in the catalogue.</param>
/// <param name="Score">From 0 to 1, comparable within one decision; 0 for tools that were not compared.</param>
/// <param name="Dense">Cosine of its best text and the question.</param>
/// <param name="Lexical">BM25 of its texts and the question.</param>
/// <param name="Inclusion">Why it is in the list.</param>
public sealed record RoutedTool(ToolProfile Profile, int Index, float Score, float Dense, float Lexical, ToolInclusion Inclusion)
{
    /// <summary>The tool's name with its plugin.</summary>
    public string Name => Profile.QualifiedName;
}

/// <summary>Why a tool is in a decision.</summary>
public enum ToolInclusion
{
    /// <summary>It fits the question.</summary>
    Matched,

    /// <summary>The options include it always.</summary>
    Always,

    /// <summary>The request requires it.</summary>
    Required,

    /// <summary>It was called, waits for approval, was named or was found in this conversation.</summary>
    Sticky,

    /// <summary>All tools are passed on: the catalogue is small, or the router failed.</summary>
    All,

    /// <summary>It was considered and not chosen.</summary>
    None,
}
