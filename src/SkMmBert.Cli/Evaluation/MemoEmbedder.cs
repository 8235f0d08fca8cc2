using Microsoft.Extensions.AI;

namespace SkMmBert.Cli;

/// <summary>Remembers every vector, so that several strategies over one set embed each text once. Not thread-safe.</summary>
internal sealed class MemoEmbedder(IEmbeddingGenerator<string, Embedding<float>> inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
{
    private readonly Dictionary<string, ReadOnlyMemory<float>> _vectors = [];

    public override async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        string[] texts = [.. values];
        string[] missing = [.. texts.Where(text => !_vectors.ContainsKey(text)).Distinct()];
        if (missing.Length > 0)
        {
            GeneratedEmbeddings<Embedding<float>> made = await base.GenerateAsync(missing, options, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < missing.Length; i++)
            {
                _vectors[missing[i]] = made[i].Vector;
            }
        }

        return new(texts.Select(text => new Embedding<float>(_vectors[text])));
    }

    public async Task<ReadOnlyMemory<float>[]> VectorsAsync(IEnumerable<string> texts, CancellationToken cancellationToken) =>
        [.. (await GenerateAsync(texts, null, cancellationToken).ConfigureAwait(false)).Select(embedding => embedding.Vector)];
}
