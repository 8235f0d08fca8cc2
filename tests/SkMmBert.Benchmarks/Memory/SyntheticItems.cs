using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Any number of items with words as frequent as in language and vectors in clusters, and a generator that knows the vectors of their questions.</summary>
internal sealed class SyntheticItems : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly int _dimensions;
    private readonly string[] _vocabulary = [.. Enumerable.Range(0, 30_000).Select(i => $"w{i * 7919L % 1_000_003:x}")];
    private readonly float[][] _centres;
    private readonly Dictionary<string, float[]> _known = [];

    public SyntheticItems(int dimensions)
    {
        _dimensions = dimensions;
        Random random = new(1);
        _centres = [.. Enumerable.Range(0, 2_000).Select(_ => Gaussian(random, dimensions))];
    }

    public MemoryItem Item(int i)
    {
        Random random = new(i);
        return new MemoryItem
        {
            Id = $"{i}", Text = string.Join(' ', Words(random, 14)), Scope = MemoryScope.Shared, Time = DateTimeOffset.UnixEpoch.AddSeconds(i), Vector = Vector(random),
        };
    }

    /// <summary>Six words of an item, in its order, as a question.</summary>
    public string Question(int q) => Ask(q).Text;

    public MemorySearch Ask(int q)
    {
        MemoryItem item = Item(q * 1_009);
        string text = string.Join(' ', item.Text.Split(' ').Take(6));
        Random random = new(-q - 1);
        float[] vector = Gaussian(random, _dimensions);
        for (int k = 0; k < vector.Length; k++)
        {
            vector[k] = item.Vector.Span[k] + (vector[k] * 0.5f / MathF.Sqrt(_dimensions));
        }

        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        lock (_known)
        {
            _known[text] = vector;
        }

        return new MemorySearch { Vector = vector, Text = text, Scopes = [MemoryScope.Shared], Take = 100 };
    }

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(text => new Embedding<float>(Known(text)))));

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("bench", null, "bench", _dimensions) : null;

    public void Dispose()
    {
    }

    private float[] Known(string text)
    {
        lock (_known)
        {
            return _known.TryGetValue(text, out float[]? vector) ? vector : _known[text] = Vector(new Random(text.Length));
        }
    }

    // Zipf: the most frequent word is in two thirds of all items, a word of the middle of the vocabulary in one of 3,000.
    private IEnumerable<string> Words(Random random, int count) => Enumerable.Range(0, count).Select(_ => _vocabulary[(int)(_vocabulary.Length * Math.Pow(random.NextDouble(), 4))]);

    private float[] Vector(Random random)
    {
        float[] centre = _centres[random.Next(_centres.Length)], vector = Gaussian(random, _dimensions);
        for (int k = 0; k < vector.Length; k++)
        {
            vector[k] = (centre[k] + (0.7f * vector[k])) / MathF.Sqrt(1 + (k / 32f));
        }

        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        return vector;
    }

    private static float[] Gaussian(Random random, int length) =>
        [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2)];
}
