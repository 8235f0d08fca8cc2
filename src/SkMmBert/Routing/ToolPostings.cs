using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>A term of a tool.</summary>
/// <param name="Term">Its number.</param>
/// <param name="Tool">The tool.</param>
/// <param name="Weight">How often it is there, each field counting its own.</param>
/// <param name="InName">Whether the tool's name has it.</param>
internal readonly record struct ToolPosting(int Term, int Tool, float Weight, bool InName);

/// <summary>Collects the terms of a catalogue, one tool after the other.</summary>
/// <remarks>Terms are numbered as they come, so what is counted of a tool lies in arrays: 10,000 tools are read in a twentieth of a second.</remarks>
internal sealed class ToolPostings
{
    /// <summary>The number of every function word.</summary>
    public const int StopWord = -1;

    private const int MaxTextChars = 8_192;         // of one field; what a description says after that is not what the tool is for

    private readonly List<ToolPosting> _all = [];
    private readonly List<int> _tool = [];          // terms of the tool that is being read
    private float[] _weights = new float[1_024];    // [terms] of that tool; 0 where it lacks the term
    private bool[] _inName = new bool[1_024];       // [terms]

    public ToolPostings()
    {
        Dictionary<string, int> ids = [];
        foreach (string word in ToolStopWords.All)
        {
            ids[word] = StopWord;
        }

        Ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The number of each term.</summary>
    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Ids { get; }

    /// <summary>Number of terms.</summary>
    public int Terms { get; private set; }

    /// <summary>All terms of all tools, by tool.</summary>
    public ReadOnlySpan<ToolPosting> All => CollectionsMarshal.AsSpan(_all);

    /// <summary>Adds a text of the tool that is being read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(string? text, float weight, bool isName = false)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        Span<char> buffer = stackalloc char[ToolTerms.MaxLength];
        ToolTerms reader = new(text.AsSpan(0, Math.Min(text.Length, MaxTextChars)), buffer);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = Ids;
        while (reader.Next(out ReadOnlySpan<char> term))
        {
            if (!ids.TryGetValue(term, out int id))
            {
                id = Terms++;
                ids[term] = id;
                if (id == _weights.Length)
                {
                    Array.Resize(ref _weights, 2 * id);
                    Array.Resize(ref _inName, 2 * id);
                }
            }

            if (id == StopWord)
            {
                continue;
            }

            if (_weights[id] == 0)
            {
                _tool.Add(id);
            }

            _weights[id] += weight;
            _inName[id] |= isName;
        }
    }

    /// <summary>Ends a tool and returns its length: the summed weight of its terms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float EndTool(int tool)
    {
        float length = 0;
        foreach (int term in _tool)
        {
            _all.Add(new ToolPosting(term, tool, _weights[term], _inName[term]));
            length += _weights[term];
            (_weights[term], _inName[term]) = (0, false);
        }

        _tool.Clear();
        return length;
    }

    /// <summary>Where the tools of each term begin when the postings are put in order of their terms, [terms + 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int[] Starts()
    {
        int[] starts = new int[Terms + 1];
        foreach (ToolPosting posting in All)
        {
            starts[posting.Term + 1]++;
        }

        for (int term = 0; term < Terms; term++)
        {
            starts[term + 1] += starts[term];
        }

        return starts;
    }
}
