using System.Buffers;
using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>An inverted index over the texts of a catalogue: BM25 where a term of the name weighs most, and the share of each name that a query says.</summary>
/// <remarks>Immutable and thread-safe. Reading a query allocates nothing.</remarks>
internal sealed class ToolLexicon
{
    private const float Saturation = 0.9f, LengthShare = 0.4f;
    private const float NameWeight = 2, DescriptionWeight = 1, ParameterWeight = 0.5f, ParameterTextWeight = 0.25f, ExampleWeight = 0.5f, KeywordWeight = 0.5f;
    private const int MaxQueryTerms = 4_096;

    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly float[] _idf;                  // [terms]
    private readonly int[] _starts;                 // [terms + 1] into the postings
    private readonly int[] _tools;                  // [postings]
    private readonly float[] _weights;              // [postings] BM25 share of the term in the tool, idf included
    private readonly float[] _nameWeights;          // [postings] share of the tool's name that the term is, 0 where the name lacks it

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ToolLexicon(IReadOnlyList<ToolProfile> profiles)
    {
        Count = profiles.Count;
        ToolPostings postings = new();
        float[] lengths = new float[profiles.Count];
        for (int tool = 0; tool < profiles.Count; tool++)
        {
            Read(profiles[tool], postings);
            lengths[tool] = postings.EndTool(tool);
        }

        _ids = postings.Ids;
        _starts = postings.Starts();
        _idf = new float[postings.Terms];
        float[] nameTotals = new float[Count];
        for (int term = 0; term < _idf.Length; term++)
        {
            _idf[term] = Weight(_starts[term + 1] - _starts[term]);
        }

        foreach (ToolPosting posting in postings.All)
        {
            nameTotals[posting.Tool] += posting.InName ? _idf[posting.Term] : 0;
        }

        _tools = new int[_starts[^1]];
        _weights = new float[_starts[^1]];
        _nameWeights = new float[_starts[^1]];
        int[] next = _starts[..^1];
        float average = Count == 0 ? 1 : Math.Max(1e-3f, lengths.Sum() / Count);
        foreach (ToolPosting posting in postings.All)
        {
            int at = next[posting.Term]++;
            float saturated = posting.Weight * (Saturation + 1) / (posting.Weight + (Saturation * (1 - LengthShare + (LengthShare * lengths[posting.Tool] / average))));
            _tools[at] = posting.Tool;
            _weights[at] = _idf[posting.Term] * saturated;
            _nameWeights[at] = posting.InName ? _idf[posting.Term] / nameTotals[posting.Tool] : 0;
        }

        UnknownWeight = Weight(0);
    }

    /// <summary>Number of tools.</summary>
    public int Count { get; }

    /// <summary>The weight of a term that no tool has.</summary>
    public float UnknownWeight { get; }

    /// <summary>Adds a text's evidence to the scores of all tools.</summary>
    /// <param name="text">The query.</param>
    /// <param name="factor">How much this text counts: 1 for the last turn.</param>
    /// <param name="scores">[tools], BM25.</param>
    /// <param name="names">[tools], the share of the name that was said, 0 to 1.</param>
    /// <returns>What the query is made of.</returns>
    public ToolQueryTerms Score(ReadOnlySpan<char> text, float factor, Span<float> scores, Span<float> names)
    {
        Span<char> buffer = stackalloc char[ToolTerms.MaxLength];
        Span<ulong> seen = stackalloc ulong[32];    // a bit for each unknown term, by hash: repeating one makes it no more unknown
        seen.Clear();
        int[] ids = ArrayPool<int>.Shared.Rent(MaxQueryTerms);
        try
        {
            int terms = 0, unknown = 0, read = 0;
            ToolTerms reader = new(text, buffer);
            while (read < MaxQueryTerms && reader.Next(out ReadOnlySpan<char> term))
            {
                read++;
                if (_ids.TryGetValue(term, out int id))
                {
                    ids[terms] = id;
                    terms += id == ToolPostings.StopWord ? 0 : 1;
                }
                else
                {
                    uint bit = Hash(term) % (32 * 64);
                    unknown += (seen[(int)(bit / 64)] >> (int)(bit % 64) & 1) == 0 ? 1 : 0;
                    seen[(int)(bit / 64)] |= 1UL << (int)(bit % 64);
                }
            }

            Span<int> sorted = ids.AsSpan(0, terms);
            sorted.Sort();
            float found = 0;
            int distinct = 0;
            for (int i = 0; i < terms; i++)
            {
                if (i > 0 && sorted[i] == sorted[i - 1])
                {
                    continue;
                }

                distinct++;
                int term = sorted[i];
                found += _idf[term];
                for (int at = _starts[term]; at < _starts[term + 1]; at++)
                {
                    int tool = _tools[at];
                    scores[tool] += factor * _weights[at];
                    names[tool] += factor * _nameWeights[at];
                }
            }

            return new ToolQueryTerms(distinct, unknown, found, found + (unknown * UnknownWeight));
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    private static uint Hash(ReadOnlySpan<char> term)
    {
        uint hash = 2166136261;
        foreach (char c in term)
        {
            hash = (hash ^ c) * 16777619;
        }

        return hash;
    }

    private float Weight(int holders) => MathF.Log(1 + ((Count - holders + 0.5f) / (holders + 0.5f)));

    private static void Read(ToolProfile profile, ToolPostings postings)
    {
        postings.Add(profile.Name, NameWeight, isName: true);
        postings.Add(profile.Plugin, NameWeight);
        postings.Add(profile.Description, DescriptionWeight);
        foreach (ToolParameter parameter in profile.Parameters)
        {
            postings.Add(parameter.Name, ParameterWeight);
            postings.Add(parameter.Description, ParameterTextWeight);
        }

        foreach (string example in profile.Examples)
        {
            postings.Add(example, ExampleWeight);
        }

        foreach (string keyword in profile.Keywords)
        {
            postings.Add(keyword, KeywordWeight);
        }
    }
}

/// <summary>What the lexical side found of a query.</summary>
/// <param name="Known">Distinct terms that some tool has.</param>
/// <param name="Unknown">Distinct terms that no tool has.</param>
/// <param name="FoundWeight">Summed weight of the known terms.</param>
/// <param name="TotalWeight">Summed weight of all terms.</param>
internal readonly record struct ToolQueryTerms(int Known, int Unknown, float FoundWeight, float TotalWeight);
