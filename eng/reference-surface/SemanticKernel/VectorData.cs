using System.Linq.Expressions;
using Microsoft.Extensions.AI;

namespace Microsoft.Extensions.VectorData;

public interface IVectorSearchable<TRecord>
    where TRecord : class
{
    IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null, CancellationToken cancellationToken = default)
        where TInput : notnull;

    object? GetService(Type serviceType, object? serviceKey = null);
}

public sealed class VectorSearchResult<TRecord>
{
    public VectorSearchResult(TRecord record, double? score) => throw null!;

    public TRecord Record => throw null!;

    public double? Score => throw null!;
}

public class VectorSearchOptions<TRecord>
{
    public Expression<Func<TRecord, bool>>? Filter { get => throw null!; set => throw null!; }

    public Expression<Func<TRecord, object?>>? VectorProperty { get => throw null!; set => throw null!; }

    public int Skip { get => throw null!; init => throw null!; }

    public bool IncludeVectors { get => throw null!; set => throw null!; }

    public double? ScoreThreshold { get => throw null!; set => throw null!; }
}

public class RecordRetrievalOptions
{
    public bool IncludeVectors { get => throw null!; set => throw null!; }
}

public sealed class FilteredRecordRetrievalOptions<TRecord>
{
    public bool IncludeVectors { get => throw null!; set => throw null!; }

    public Func<OrderByDefinition, OrderByDefinition>? OrderBy { get => throw null!; set => throw null!; }

    public sealed class OrderByDefinition
    {
        public OrderByDefinition Ascending(Expression<Func<TRecord, object?>> propertySelector) => throw null!;
    }
}

public abstract class VectorStore : IDisposable
{
    public abstract VectorStoreCollection<object, Dictionary<string, object?>> GetDynamicCollection(string name, VectorStoreCollectionDefinition definition);

    public abstract Task EnsureCollectionDeletedAsync(string name, CancellationToken cancellationToken = default);

    public abstract object? GetService(Type serviceType, object? serviceKey = null);

    public void Dispose() => throw null!;
}

public class VectorStoreMetadata
{
    public string? VectorStoreSystemName { get => throw null!; init => throw null!; }
}

public abstract class VectorStoreCollection<TKey, TRecord> : IVectorSearchable<TRecord>, IDisposable
    where TKey : notnull
    where TRecord : class
{
    public abstract Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default);

    public abstract Task<TRecord?> GetAsync(TKey key, RecordRetrievalOptions? options = default, CancellationToken cancellationToken = default);

    public virtual IAsyncEnumerable<TRecord> GetAsync(IEnumerable<TKey> keys, RecordRetrievalOptions? options = default, CancellationToken cancellationToken = default) => throw null!;

    public abstract IAsyncEnumerable<TRecord> GetAsync(
        Expression<Func<TRecord, bool>> filter, int top, FilteredRecordRetrievalOptions<TRecord>? options = null, CancellationToken cancellationToken = default);

    public virtual Task DeleteAsync(IEnumerable<TKey> keys, CancellationToken cancellationToken = default) => throw null!;

    public abstract Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default);

    public abstract Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default);

    public abstract IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null, CancellationToken cancellationToken = default)
        where TInput : notnull;

    public abstract object? GetService(Type serviceType, object? serviceKey = null);

    public void Dispose() => throw null!;
}

public sealed class VectorStoreCollectionDefinition
{
    public IList<VectorStoreProperty> Properties { get => throw null!; set => throw null!; }
}

public abstract class VectorStoreProperty;

public sealed class VectorStoreKeyProperty : VectorStoreProperty
{
    public VectorStoreKeyProperty(string name, Type? type = null) => throw null!;
}

public sealed class VectorStoreDataProperty : VectorStoreProperty
{
    public VectorStoreDataProperty(string name, Type? type = null) => throw null!;

    public bool IsIndexed { get => throw null!; set => throw null!; }

    public bool IsFullTextIndexed { get => throw null!; set => throw null!; }
}

public class VectorStoreVectorProperty : VectorStoreProperty
{
    public VectorStoreVectorProperty(string name, Type type, int dimensions) => throw null!;

    public IEmbeddingGenerator? EmbeddingGenerator { get => throw null!; set => throw null!; }
}
