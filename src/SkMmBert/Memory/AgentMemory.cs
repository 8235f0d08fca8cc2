using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What an agent remembers: texts go in, evidence comes back with its source, range and the trail of stages that chose it.</summary>
public sealed class AgentMemory(IEmbeddingGenerator<string, Embedding<float>> generator, MemoryStore store)
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> _generator = generator;
    private readonly MemoryStore _store = store;
}
