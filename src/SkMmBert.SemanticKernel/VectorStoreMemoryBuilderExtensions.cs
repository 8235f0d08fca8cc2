using Microsoft.Extensions.VectorData;
using SkMmBert;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps the memory of a host in a vector store.</summary>
public static class VectorStoreMemoryBuilderExtensions
{
    /// <summary>Keeps items in the <see cref="VectorStore"/> among the services, which stays the container's.</summary>
    /// <param name="memory">The memory that is being added.</param>
    /// <param name="collection">The collection's name; made with the first use.</param>
    /// <param name="options">Layout and search, made when memory is first needed; <see langword="null"/> for the defaults.</param>
    /// <param name="serviceKey">The key of the vector store; <see langword="null"/> for none.</param>
    /// <example><code>
    /// services.AddInMemoryVectorStore();
    /// services.AddMmBert().AddMemory(m => m.UseVectorStore("memory"));
    /// </code></example>
    public static MmBertMemoryBuilder UseVectorStore(this MmBertMemoryBuilder memory, string collection = "memory", Func<IServiceProvider, VectorStoreMemoryOptions>? options = null, string? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentException.ThrowIfNullOrWhiteSpace(collection);
        return memory.UseStore(services => new VectorStoreMemoryStore(services.GetRequiredKeyedService<VectorStore>(serviceKey), collection, options?.Invoke(services)));
    }
}
