using System.Text;

namespace SkMmBert.Cli;

/// <summary>Plain BM25 (unstemmed, k1 0.9, b 0.4) over names and descriptions: the floor that routing is measured against.</summary>
internal sealed class WordBaseline
{
    private const double K1 = 0.9, B = 0.4;

    private readonly Dictionary<string, List<(int Tool, int Count)>> _postings = [];
    private readonly int[] _lengths;
    private readonly double _average;

    public WordBaseline(IReadOnlyList<ToolProfile> tools)
    {
        _lengths = new int[tools.Count];
        for (int i = 0; i < tools.Count; i++)
        {
            List<string> words = Words($"{tools[i].Name} {tools[i].Description}");
            _lengths[i] = words.Count;
            foreach (IGrouping<string, string> word in words.GroupBy(word => word))
            {
                if (!_postings.TryGetValue(word.Key, out List<(int, int)>? list))
                {
                    _postings[word.Key] = list = [];
                }

                list.Add((i, word.Count()));
            }
        }

        _average = Math.Max(1, _lengths.DefaultIfEmpty().Average());
    }

    public float[] Scores(string query)
    {
        float[] scores = new float[_lengths.Length];
        foreach (string word in Words(query))
        {
            if (_postings.TryGetValue(word, out List<(int Tool, int Count)>? list))
            {
                double weight = Math.Log(1 + ((_lengths.Length - list.Count + 0.5) / (list.Count + 0.5)));
                foreach ((int tool, int count) in list)
                {
                    scores[tool] += (float)(weight * count * (K1 + 1) / (count + (K1 * (1 - B + (B * _lengths[tool] / _average)))));
                }
            }
        }

        return scores;
    }

    private static List<string> Words(string text)
    {
        List<string> words = [];
        StringBuilder word = new();
        char before = ' ';
        foreach (char c in text + " ")
        {
            if (!char.IsLetterOrDigit(c) || (char.IsUpper(c) && char.IsLower(before)))
            {
                if (word.Length > 0)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
            }

            if (char.IsLetterOrDigit(c))
            {
                word.Append(char.ToLowerInvariant(c));
            }

            before = c;
        }

        return words;
    }
}
