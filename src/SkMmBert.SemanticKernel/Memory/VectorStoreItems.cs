using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

using Condition = Expression<Func<Dictionary<string, object?>, bool>>;
using Record = Dictionary<string, object?>;

/// <summary>The collection that holds a memory's items.</summary>
internal sealed class VectorStoreItems(VectorStoreCollection<object, Record> collection, VectorStoreSchema schema) : IDisposable
{
    private const int PageSize = 500;

    public VectorStoreCollection<object, Record> Collection => collection;

    public VectorStoreSchema Schema => schema;

    /// <summary>Every record that meets the condition, oldest write first.</summary>
    public async IAsyncEnumerable<Record> ScanAsync(Condition? condition, bool vectors, long since = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // By sequence and not by page number, so that writes between two pages neither hide nor repeat a record.
        HashSet<object> last = [];
        FilteredRecordRetrievalOptions<Record> options = new() { IncludeVectors = vectors, OrderBy = order => order.Ascending(record => record[VectorStoreSchema.Sequence]) };
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = 0, fresh = 0;
            await foreach (Record record in collection.GetAsync(VectorStoreFilters.And(VectorStoreFilters.Since(since), condition)!, PageSize + last.Count, options, cancellationToken).ConfigureAwait(false))
            {
                read++;
                if (last.Contains(record[VectorStoreSchema.Key]!))
                {
                    continue;
                }

                fresh++;
                long sequence = VectorStoreSchema.Number(record, VectorStoreSchema.Sequence);
                if (sequence > since)
                {
                    since = sequence;
                    last.Clear();
                }

                last.Add(record[VectorStoreSchema.Key]!);
                yield return record;
            }

            if (read < PageSize || fresh == 0)
            {
                yield break;
            }
        }
    }

    /// <summary>Writes items in their order and removes what was stored before under the same scopes and ids.</summary>
    public async Task WriteAsync(IReadOnlyList<MemoryItem> items, long sequence, CancellationToken cancellationToken)
    {
        // A scope, id and start given twice in one call: the last one counts.
        Dictionary<object, MemoryItem> byKey = [];
        foreach (MemoryItem item in items)
        {
            object key = schema.KeyOf(item);
            byKey.Remove(key);
            byKey.Add(key, item);
        }

        List<object> stale = [];
        foreach (IGrouping<string, MemoryItem> scope in items.GroupBy(item => item.Scope!.ToString()))
        {
            foreach (string[] ids in scope.Select(item => item.Id).Distinct().Chunk(PageSize))
            {
                await foreach (Record record in ScanAsync(VectorStoreFilters.OfIds(scope.Key, [.. ids]), vectors: false, cancellationToken: cancellationToken).ConfigureAwait(false))
                {
                    if (record[VectorStoreSchema.Key] is { } key && !byKey.ContainsKey(key))
                    {
                        stale.Add(key);
                    }
                }
            }
        }

        await collection.UpsertAsync(byKey.Select(pair => schema.Write(pair.Value, pair.Key, sequence++)), cancellationToken).ConfigureAwait(false);
        if (stale.Count > 0)
        {
            await collection.DeleteAsync(stale, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => collection.Dispose();
}
