using System.Globalization;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

using Record = Dictionary<string, object?>;

/// <summary>Which model a memory's vectors come from and in which collection they are: one record in a collection of its own.</summary>
internal sealed class VectorStoreBinding(VectorStore store, string name, VectorStoreMemoryOptions options) : IDisposable
{
    private const string Model = "model", Fingerprint = "fingerprint", Tiers = "tiers", Generation = "generation", Vector = "vector";

    private readonly VectorStoreCollection<object, Record> _collection = store.GetDynamicCollection($"{name}_model", new()
    {
        Properties =
        [
            new VectorStoreKeyProperty(VectorStoreSchema.Key, options.TextKeys ? typeof(string) : typeof(Guid)),
            new VectorStoreDataProperty(Model, typeof(string)),
            new VectorStoreDataProperty(Fingerprint, typeof(string)),
            new VectorStoreDataProperty(Tiers, typeof(string)),
            new VectorStoreDataProperty(Generation, typeof(int)),
            new VectorStoreVectorProperty(Vector, typeof(ReadOnlyMemory<float>), 2),   // some stores take no record without a vector
        ],
    });

    /// <summary>What is stored; null in a new store.</summary>
    public async Task<(MemoryModel Model, int Generation)?> ReadAsync(CancellationToken cancellationToken)
    {
        await _collection.EnsureCollectionExistsAsync(cancellationToken).ConfigureAwait(false);
        Record? record = await _collection.GetAsync(Key(), null, cancellationToken).ConfigureAwait(false);
        return record is null ? null : (
            new MemoryModel((string)record[Model]!, (string)record[Fingerprint]!, [.. ((string)record[Tiers]!).Split(',').Select(tier => int.Parse(tier, CultureInfo.InvariantCulture))]),
            Convert.ToInt32(record[Generation], CultureInfo.InvariantCulture));
    }

    public Task WriteAsync(MemoryModel model, int generation, CancellationToken cancellationToken) => _collection.UpsertAsync(new Record
    {
        [VectorStoreSchema.Key] = Key(), [Model] = model.Name, [Fingerprint] = model.Fingerprint,
        [Tiers] = string.Join(',', model.Tiers.Select(tier => tier.ToString(CultureInfo.InvariantCulture))),
        [Generation] = generation, [Vector] = new ReadOnlyMemory<float>([1, 0]),
    }, cancellationToken);

    /// <summary>The items of a generation; each reembedding begins a new one.</summary>
    public VectorStoreItems Items(MemoryModel model, int generation)
    {
        VectorStoreSchema schema = new(model.Tiers, options);
        return new VectorStoreItems(store.GetDynamicCollection(ItemsName(generation), schema.Definition()), schema);
    }

    public Task DeleteAsync(int generation, CancellationToken cancellationToken) => store.EnsureCollectionDeletedAsync(ItemsName(generation), cancellationToken);

    public void Dispose() => _collection.Dispose();

    private string ItemsName(int generation) => generation == 0 ? name : $"{name}_{generation.ToString(CultureInfo.InvariantCulture)}";

    private object Key() => new VectorStoreSchema([1], options).KeyOf("model");
}
