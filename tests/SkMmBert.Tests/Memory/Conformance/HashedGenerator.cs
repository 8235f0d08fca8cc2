using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Tests;

/// <summary>Vectors without a model: a random direction for each word and each three letters, summed. Texts that share words are near each other, in every prefix.</summary>
internal sealed class HashedGenerator(int dimensions = 256, ulong seed = 1, string name = "hashed") : IEmbeddingGenerator<string, Embedding<float>>
{
    public int Calls;

    public Func<string, float[]>? Embed { get; init; }

    public MemoryModel Model => new(name, $"{name}/{dimensions}/{seed}", dimensions > 128 ? [64, 128, dimensions] : [dimensions]);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref Calls);
        return Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(text => new Embedding<float>(Embed?.Invoke(text) ?? Vector(text)))));
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("test", null, $"{name}/{seed}", dimensions)
        : serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    public float[] Vector(string text)
    {
        float[] sum = new float[dimensions];
        foreach (string word in text.ToLowerInvariant().Split([' ', '.', ',', '?', '!'], StringSplitOptions.RemoveEmptyEntries))
        {
            AddDirection(sum, word, 1);
            for (int i = 0; i + 3 <= word.Length; i++)
            {
                AddDirection(sum, word.Substring(i, 3), 0.3f);
            }
        }

        AddDirection(sum, "", 0.05f); // never a zero vector
        float norm = TensorPrimitives.Norm(sum);
        TensorPrimitives.Divide(sum, norm, sum);
        return sum;
    }

    private void AddDirection(float[] sum, string key, float weight)
    {
        ulong state = seed;
        foreach (char c in key)
        {
            state = (state ^ c) * 0x9E3779B97F4A7C15;
        }

        for (int i = 0; i < sum.Length; i++)
        {
            // SplitMix64: the same directions on every machine.
            ulong z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            sum[i] += weight * ((int)((z ^ (z >> 31)) >> 40) - (1 << 23)) / (1 << 23);
        }
    }
}
