using System.Numerics.Tensors;

namespace SkMmBert.Benchmarks.Reranking;

/// <summary>A first stage as a search has it: vectors of the embedder and BM25, fused by rank.</summary>
internal sealed class FirstStage
{
    private readonly MmBertModel _embed;
    private readonly string[] _texts;
    private readonly float[][] _vectors;
    private readonly Dictionary<string, List<(int Text, int Count)>> _terms = [];
    private readonly int[] _lengths;

    public FirstStage(MmBertModel embed, string[] texts)
    {
        (_embed, _texts) = (embed, texts);
        _vectors = Vectors(texts);
        _lengths = new int[texts.Length];
        for (int i = 0; i < texts.Length; i++)
        {
            foreach (IGrouping<string, string> term in Terms(texts[i]).GroupBy(term => term))
            {
                _lengths[i] += term.Count();
                _terms.TryAdd(term.Key, []);
                _terms[term.Key].Add((i, term.Count()));
            }
        }
    }

    /// <summary>The best candidates of a query with their fused scores.</summary>
    public RerankSample Search(string query, Dictionary<int, float> gains, int count)
    {
        float[] vector = Vectors([query])[0];
        float[] dense = [.. _vectors.Select(text => TensorPrimitives.Dot(vector, text))], lexical = Lexical(query), fused = new float[_texts.Length];
        foreach (float[] scores in (float[][])[dense, lexical])
        {
            int[] order = [.. Enumerable.Range(0, scores.Length).OrderByDescending(text => scores[text])];
            for (int place = 0; place < order.Length && scores[order[place]] > 0; place++)
            {
                fused[order[place]] += 1f / (60 + place);
            }
        }

        int[] best = [.. Enumerable.Range(0, fused.Length).OrderByDescending(text => fused[text]).Take(count)];
        return new RerankSample(query, [.. best.Select(text => _texts[text])])
        {
            FirstScores = [.. best.Select(text => fused[text])],
            Gains = [.. best.Select(text => gains.GetValueOrDefault(text))],
            MissedGains = [.. gains.Where(pair => !best.Contains(pair.Key)).Select(pair => pair.Value)],
        };
    }

    private float[] Lexical(string query)
    {
        float[] scores = new float[_texts.Length];
        double average = _lengths.Average();
        foreach (string term in Terms(query).Distinct())
        {
            if (_terms.TryGetValue(term, out List<(int Text, int Count)>? postings))
            {
                double weight = Math.Log(1 + ((_texts.Length - postings.Count + 0.5) / (postings.Count + 0.5)));
                foreach ((int text, int count) in postings)
                {
                    scores[text] += (float)(weight * count * 1.9 / (count + (0.9 * (0.6 + (0.4 * _lengths[text] / average)))));
                }
            }
        }

        return scores;
    }

    private float[][] Vectors(IReadOnlyList<string> texts)
    {
        int[][] ids = [.. texts.Select(text => _embed.Tokenizer.Encode(text, 512).Ids)];
        float[][] vectors = new float[texts.Count][];
        Parallel.ForEach(_embed.Plan([.. ids.Select(text => text.Length)], 2_048), batch =>
        {
            using LayerState state = _embed.Run(TokenBatch.Of([.. batch.Select(text => ids[text])]), _embed.Manifest.Layers, default);
            int width = _embed.Manifest.HiddenSize;
            float[] pooled = new float[batch.Length * width];
            _embed.Pool(state, true, pooled);
            for (int row = 0; row < batch.Length; row++)
            {
                float[] vector = pooled[(row * width)..((row + 1) * width)];
                TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
                vectors[batch[row]] = vector;
            }
        });
        return vectors;
    }

    // Words; scripts without spaces fall into pairs of characters.
    private static IEnumerable<string> Terms(string text)
    {
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool wide = i < text.Length && text[i] >= 0x3040 && char.IsLetter(text[i]);
            if (i == text.Length || wide || !char.IsLetterOrDigit(text[i]))
            {
                if (start >= 0)
                {
                    yield return text[start..i].ToLowerInvariant();
                }

                start = -1;
            }
            else if (start < 0)
            {
                start = i;
            }

            if (wide && i + 1 < text.Length && text[i + 1] >= 0x3040)
            {
                yield return text.Substring(i, 2);
            }
        }
    }
}
