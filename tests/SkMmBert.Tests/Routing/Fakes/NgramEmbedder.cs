using Microsoft.Extensions.AI;

namespace SkMmBert.Tests.Routing;

/// <summary>A deterministic generator: hashed words and character trigrams. Alike texts get alike vectors; it counts what it embeds.</summary>
internal sealed class NgramEmbedder(int width = 128, string model = "ngrams") : IEmbeddingGenerator<string, Embedding<float>>
{
    private int _calls;
    private int _texts;

    public int Calls => _calls;

    public int Texts => _texts;

    public Func<IReadOnlyList<string>, CancellationToken, Task>? Before { get; init; }

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        List<string> texts = [.. values];
        Interlocked.Increment(ref _calls);
        Interlocked.Add(ref _texts, texts.Count);
        if (Before is not null)
        {
            await Before(texts, cancellationToken);
        }

        return new(texts.Select(text => new Embedding<float>(Vector(text))));
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("fake", null, model, width) : null;

    public void Dispose()
    {
    }

    private float[] Vector(string text)
    {
        float[] vector = new float[width];
        string plain = $" {text.ToLowerInvariant()} ";
        for (int i = 0; i + 3 <= plain.Length; i++)
        {
            uint hash = 2166136261;
            for (int j = 0; j < 3; j++)
            {
                hash = (hash ^ plain[i + j]) * 16777619;
            }

            vector[hash % (uint)width] += (hash & 0x10000) == 0 ? 1 : -1;
        }

        float length = MathF.Sqrt(vector.Sum(x => x * x));
        return length == 0 ? vector : [.. vector.Select(x => x / length)];
    }
}
