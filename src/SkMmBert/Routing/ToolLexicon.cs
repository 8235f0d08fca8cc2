using System.Buffers;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>An inverted index over the texts of a catalogue: BM25 where a term of the name weighs most, and the share of each name that a query says.</summary>
/// <remarks>Immutable and thread-safe. Reading a query allocates nothing.</remarks>
internal sealed class ToolLexicon
{
    private const float Saturation = 0.9f, LengthShare = 0.4f;
    private const float NameWeight = 2, DescriptionWeight = 1, ParameterWeight = 0.5f, ParameterTextWeight = 0.25f, ExampleWeight = 0.5f, KeywordWeight = 0.5f;
    private const int MaxTextChars = 8_192;         // of one field; what a description says after that is not what the tool is for
    private const int MaxQueryTerms = 4_096;

    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly float[] _idf;                  // [terms]
    private readonly int[] _starts;                 // [terms + 1] into the postings
    private readonly int[] _tools;                  // [postings]
    private readonly float[] _weights;              // [postings] BM25 share of the term in the tool, idf included
    private readonly float[] _nameWeights;          // [postings] share of the tool's name that the term is, 0 where the name lacks it

    public ToolLexicon(IReadOnlyList<ToolProfile> profiles)
    {
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Count = profiles.Count;
        List<List<Posting>> postings = [];
        float[] lengths = new float[profiles.Count];
        Dictionary<int, Posting> counts = [];
        for (int tool = 0; tool < profiles.Count; tool++)
        {
            counts.Clear();
            ToolProfile profile = profiles[tool];
            Add(profile.Name, NameWeight, counts, isName: true);
            Add(profile.Plugin, NameWeight, counts);
            Add(profile.Description, DescriptionWeight, counts);
            foreach (ToolParameter parameter in profile.Parameters)
            {
                Add(parameter.Name, ParameterWeight, counts);
                Add(parameter.Description, ParameterTextWeight, counts);
            }

            foreach (string example in profile.Examples)
            {
                Add(example, ExampleWeight, counts);
            }

            foreach (string keyword in profile.Keywords)
            {
                Add(keyword, KeywordWeight, counts);
            }

            foreach ((int term, Posting posting) in counts)
            {
                while (postings.Count <= term)
                {
                    postings.Add([]);
                }

                postings[term].Add(posting with { Tool = tool });
                lengths[tool] += posting.Weight;
            }
        }

        float average = Count == 0 ? 1 : Math.Max(1e-3f, lengths.Sum() / Count);
        _idf = new float[postings.Count];
        _starts = new int[postings.Count + 1];
        float[] nameTotals = new float[Count];
        for (int term = 0; term < postings.Count; term++)
        {
            _idf[term] = Weight(postings[term].Count);
            _starts[term + 1] = _starts[term] + postings[term].Count;
            foreach (Posting posting in postings[term])
            {
                nameTotals[posting.Tool] += posting.InName ? _idf[term] : 0;
            }
        }

        _tools = new int[_starts[^1]];
        _weights = new float[_starts[^1]];
        _nameWeights = new float[_starts[^1]];
        for (int term = 0, at = 0; term < postings.Count; term++)
        {
            foreach (Posting posting in postings[term])
            {
                float saturated = posting.Weight * (Saturation + 1) / (posting.Weight + (Saturation * (1 - LengthShare + (LengthShare * lengths[posting.Tool] / average))));
                _tools[at] = posting.Tool;
                _weights[at] = _idf[term] * saturated;
                _nameWeights[at++] = posting.InName ? _idf[term] / nameTotals[posting.Tool] : 0;
            }
        }

        UnknownWeight = Weight(0);
    }

    private readonly record struct Posting(int Tool, float Weight, bool InName);

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
                if (ToolStopWords.Contains(term))
                {
                    continue;
                }

                if (_lookup.TryGetValue(term, out int id))
                {
                    ids[terms++] = id;
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

    private void Add(string? text, float weight, Dictionary<int, Posting> counts, bool isName = false)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        Span<char> buffer = stackalloc char[ToolTerms.MaxLength];
        ToolTerms reader = new(text.AsSpan(0, Math.Min(text.Length, MaxTextChars)), buffer);
        while (reader.Next(out ReadOnlySpan<char> term))
        {
            if (ToolStopWords.Contains(term) && !isName)
            {
                continue;
            }

            if (!_lookup.TryGetValue(term, out int id))
            {
                id = _ids.Count;
                _ids.Add(term.ToString(), id);
            }

            ref Posting posting = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, id, out _);
            posting = new Posting(0, posting.Weight + weight, posting.InName || isName);
        }
    }
}

/// <summary>What the lexical side found of a query.</summary>
/// <param name="Known">Distinct terms that some tool has.</param>
/// <param name="Unknown">Distinct terms that no tool has.</param>
/// <param name="FoundWeight">Summed weight of the known terms.</param>
/// <param name="TotalWeight">Summed weight of all terms.</param>
internal readonly record struct ToolQueryTerms(int Known, int Unknown, float FoundWeight, float TotalWeight);
