using System.Data.Common;
using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace SkMmBert;

/// <summary>Runs one search on one connection: statistics, then the vectors' side, then the words' side.</summary>
internal sealed class PostgresSearch(PostgresSchema schema, PostgresMemoryOptions options, string name, MemoryModel model)
{
    private const int MaxTerms = 128;

    // How many items words may find before they are ranked, for each one wanted.
    private const int HitsPerTaken = 50;

    // Enough of a huge store to weigh words and estimate lengths.
    private const int SampleRows = 20_000, RareHolders = 2_000;

    private readonly int _retrieve = PostgresSchema.RetrieveLength(model);

    public async Task<MemorySearchResult> RunAsync(NpgsqlConnection connection, MemorySearch search, CancellationToken cancellationToken)
    {
        string[] terms = search.Text.Length == 0 ? [] : [.. LexicalTerms.Of(search.Text).Distinct(StringComparer.Ordinal).Take(MaxTerms)];
        Statistics statistics = await CountAsync(connection, search, terms, cancellationToken).ConfigureAwait(false);
        if (statistics.Visible == 0) return MemorySearchResult.Empty;
        Dictionary<long, (MemoryItem Item, List<EvidenceStage> Trail)> found = [];
        List<StageWidth> widths = [];
        if (!search.Vector.IsEmpty) await SearchVectorsAsync(connection, search, statistics, found, widths, cancellationToken).ConfigureAwait(false);
        if (search.Text.Length > 0) await SearchWordsAsync(connection, search, statistics, terms, found, widths, cancellationToken).ConfigureAwait(false);
        return new MemorySearchResult([.. found.OrderBy(pair => pair.Key).Select(pair => new MemoryCandidate(pair.Value.Item, pair.Value.Trail))], widths);
    }

    /// <summary>What must be known before: how many items are visible (up to a cap), how many of them hold each word, how long they are.</summary>
    private readonly record struct Statistics(long Visible, bool Capped, long Total, double AverageLength, long[] Holders);

    private async Task<Statistics> CountAsync(NpgsqlConnection connection, MemorySearch search, string[] terms, CancellationToken cancellationToken)
    {
        PostgresFence fence = PostgresFence.Of(search);
        long cap = Math.Max(options.IndexFrom, SampleRows) + 1L;
        // A word is counted exactly while it is rare; a common one weighs so little that a sample tells enough.
        string words = terms.Length == 0 ? "'{}'::bigint[]" : $"""
            ARRAY(SELECT CASE WHEN held <= {RareHolders} THEN held ELSE greatest(held, (SELECT count(*) FROM sample WHERE sample.words @@ word) * (SELECT count(*) FROM visible) / (SELECT count(*) FROM sample)) END
                  FROM (SELECT place, quote_literal(term)::tsquery AS word FROM unnest({fence.Add(terms)}) WITH ORDINALITY AS given (term, place)) AS asked,
                       LATERAL (SELECT count(*) AS held FROM (SELECT 1 FROM {schema.Table} WHERE {fence.Where} AND {schema.Table}.words @@ word LIMIT {RareHolders + 1}) AS holding) AS counted
                  ORDER BY place)
            """;
        string sql = $"""
            WITH visible AS MATERIALIZED (SELECT length FROM {schema.Table} WHERE {fence.Where} LIMIT {cap}),
                 sample AS MATERIALIZED (SELECT words FROM {schema.Table} WHERE {fence.Where} LIMIT {RareHolders})
            SELECT (SELECT value FROM {schema.Facts} WHERE name = 'fingerprint'), (SELECT value FROM {schema.Facts} WHERE name = 'model'),
                   (SELECT count(*) FROM visible), (SELECT coalesce(avg(length), 1)::float8 FROM visible),
                   (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = '{schema.Table}'::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = '{schema.Table}'::regclass)),
                   {words}
            """;
        using NpgsqlCommand command = fence.Command(connection, sql);
        NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (reader.GetString(0) is var fingerprint && fingerprint != model.Fingerprint)
                throw MemoryModel.Mismatch(name, reader.GetString(1), fingerprint, model);
            long visible = reader.GetInt64(2);
            return new Statistics(visible, visible >= cap, Math.Max(visible, reader.GetInt64(4)), Math.Max(1, reader.GetDouble(3)), reader.GetFieldValue<long[]>(5));
        }
    }

    private async Task SearchVectorsAsync(
        NpgsqlConnection connection, MemorySearch search, Statistics statistics, Dictionary<long, (MemoryItem Item, List<EvidenceStage> Trail)> found, List<StageWidth> widths, CancellationToken cancellationToken)
    {
        FunnelWidths funnel = FunnelWidths.For((int)Math.Min(int.MaxValue, statistics.Capped ? statistics.Total : statistics.Visible), search.Take);
        if (!search.Exact && statistics.Visible > options.IndexFrom && model.Tiers[0] <= PostgresSchema.MaxIndexed)
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                // The index goes on walking until enough items have passed the fence, or it has seen too many.
                int width = FirstWidth(funnel);
                await PostgresSchema.ExecuteAsync(connection, $"SET LOCAL hnsw.ef_search = {Math.Clamp(width, 100, 1_000)}; SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.max_scan_tuples = {Math.Max(options.IndexScan, 2 * width)}", cancellationToken).ConfigureAwait(false);
                long entered = await RunAsync(connection, search, funnel, indexed: true, found, widths, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                if (entered >= Math.Min(width, statistics.Visible)) return;
            }

            // The fence lets too few of a large store through for the index: they are looked at one by one.
            found.Clear();
            widths.Clear();
        }

        await RunAsync(connection, search, funnel, indexed: false, found, widths, cancellationToken).ConfigureAwait(false);
    }

    // How many items leave the route tier.
    private int FirstWidth(FunnelWidths funnel) => _retrieve > 0 ? funnel.Route : funnel.Retrieve;

    /// <summary>Runs the funnel once; gives how many items entered its first stage.</summary>
    private async Task<long> RunAsync(
        NpgsqlConnection connection, MemorySearch search, FunnelWidths funnel, bool indexed, Dictionary<long, (MemoryItem Item, List<EvidenceStage> Trail)> found, List<StageWidth> widths, CancellationToken cancellationToken)
    {
        PostgresFence fence = PostgresFence.Of(search);
        string full = $"{fence.Add(search.Vector.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Real)}::real[]::vector({model.Dimensions})";
        using NpgsqlCommand command = fence.Command(connection, search.Exact ? ExactSql(fence, full, search.Take) : FunnelSql(fence, full, funnel, search.Take, indexed));
        NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            long entered = 0;
            int rank = 0, column = PostgresRows.Columns;
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (rank == 0)
                {
                    entered = reader.GetInt64(column);
                    AddWidths(widths, reader, search.Exact, indexed);
                }

                List<EvidenceStage> trail = [];
                if (!search.Exact)
                {
                    if (!indexed) trail.Add(new EvidenceStage("signs", 1 - ((float)reader.GetDouble(column + 4) / Math.Min(64, model.Tiers[0])), (int)reader.GetInt64(column + 5)));
                    trail.Add(new EvidenceStage("route", (float)reader.GetDouble(column + 6), (int)reader.GetInt64(column + 7)));
                    if (_retrieve > 0) trail.Add(new EvidenceStage("retrieve", (float)reader.GetDouble(column + 8), (int)reader.GetInt64(column + 9)));
                }

                trail.Add(new EvidenceStage("match", (float)reader.GetDouble(column + (search.Exact ? 1 : 10)), ++rank));
                found[PostgresRows.Key(reader)] = (PostgresRows.Read(reader), trail);
            }

            return entered;
        }
    }

    // Every row carries how many items entered each stage.
    private void AddWidths(List<StageWidth> widths, DbDataReader row, bool exact, bool indexed)
    {
        string[] stages = exact ? ["match"] : ["signs", "route", _retrieve > 0 ? "retrieve" : "", "match"];
        for (int i = 0; i < stages.Length; i++)
        {
            if (stages[i].Length > 0 && !(indexed && i == 0)) widths.Add(new StageWidth(stages[i], (int)row.GetInt64(PostgresRows.Columns + i)));
        }
    }

    private string ExactSql(PostgresFence fence, string full, int take) => $"""
        SELECT {PostgresRows.Select}, scored.entered, scored.score
        FROM (SELECT key, -(vector <#> {full}) AS score, count(*) OVER () AS entered FROM {schema.Table} WHERE {fence.Where} ORDER BY score DESC, key LIMIT {take}) AS scored
        JOIN {schema.Table} AS item USING (key) ORDER BY scored.score DESC, key
        """;

    private string FunnelSql(PostgresFence fence, string full, FunnelWidths widths, int take, bool indexed)
    {
        int bits = Math.Min(64, model.Tiers[0]), route = model.Tiers[0];
        int routeWidth = FirstWidth(widths);
        StringBuilder sql = new();
        sql.Append(CultureInfo.InvariantCulture, $"""
            WITH question AS MATERIALIZED (
                SELECT whole, l2_normalize(subvector(whole, 1, {route})) AS route, binary_quantize(subvector(whole, 1, {bits}))::bit({bits}) AS signs
                FROM (SELECT {full} AS whole) AS given),
            """);
        if (indexed)
        {
            // The index answers only a bare ORDER BY distance LIMIT.
            sql.Append(CultureInfo.InvariantCulture, $"""
                near AS MATERIALIZED (
                    SELECT key, 0::float8 AS far, route <#> (SELECT route FROM question) AS routed FROM {schema.Table} WHERE {fence.Where}
                    ORDER BY route <#> (SELECT route FROM question) LIMIT {routeWidth}),
                """);
        }
        else
        {
            sql.Append(CultureInfo.InvariantCulture, $"""
                scanned AS MATERIALIZED (
                    SELECT key, signs <~> (SELECT signs FROM question) AS far, route <#> (SELECT route FROM question) AS routed FROM {schema.Table} WHERE {fence.Where}),
                near AS MATERIALIZED (SELECT * FROM scanned ORDER BY far, key LIMIT {widths.Signs}),
                """);
        }

        sql.Append(CultureInfo.InvariantCulture, $"""
            routed AS MATERIALIZED (
                SELECT key, far, rank() OVER (ORDER BY far) AS far_rank, routed, row_number() OVER (ORDER BY routed, key) AS routed_rank
                FROM near ORDER BY routed, key LIMIT {routeWidth}),
            """);
        if (_retrieve > 0)
        {
            sql.Append(CultureInfo.InvariantCulture, $"""
                kept AS MATERIALIZED (
                    SELECT routed.*, retrieved, row_number() OVER (ORDER BY retrieved, key) AS retrieved_rank
                    FROM routed JOIN (SELECT key, retrieve <#> (SELECT l2_normalize(subvector(whole, 1, {_retrieve}))::halfvec({_retrieve}) FROM question) AS retrieved
                                      FROM {schema.Table} WHERE key = ANY(ARRAY(SELECT key FROM routed))) AS item USING (key)
                    ORDER BY retrieved, key LIMIT {widths.Retrieve})
                """);
        }
        else
        {
            sql.Append("kept AS MATERIALIZED (SELECT *, 0::float8 AS retrieved, 0::bigint AS retrieved_rank FROM routed)");
        }

        sql.Append(CultureInfo.InvariantCulture, $"""

            SELECT {PostgresRows.Select},
                   (SELECT count(*) FROM {(indexed ? "near" : "scanned")}), (SELECT count(*) FROM near), (SELECT count(*) FROM routed), (SELECT count(*) FROM kept),
                   far, far_rank, -routed, routed_rank, -retrieved, retrieved_rank, -(item.vector <#> (SELECT whole FROM question)) AS score
            FROM kept JOIN {schema.Table} AS item USING (key)
            WHERE item.key = ANY(ARRAY(SELECT key FROM kept))
            ORDER BY score DESC, key LIMIT {take}
            """);
        return sql.ToString();
    }

    private async Task SearchWordsAsync(
        NpgsqlConnection connection, MemorySearch search, Statistics statistics, string[] terms, Dictionary<long, (MemoryItem Item, List<EvidenceStage> Trail)> found, List<StageWidth> widths, CancellationToken cancellationToken)
    {
        (string Term, long Holders)[] held = [.. terms.Zip(statistics.Holders).Where(t => t.Second > 0).OrderBy(t => t.Second)];
        if (held.Length == 0)
        {
            widths.Add(new StageWidth("lexical", 0));
            return;
        }

        // The rarest words find the items, as long as they are not too many; all words rank them. A word that nearly all hold decides little.
        long most = Math.Max(options.WordHits, HitsPerTaken * (long)search.Take), hits = 0;
        string[] finding = [.. held.TakeWhile((t, i) => (hits += t.Holders) <= most || i == 0).Select(t => t.Term)];
        float[] weights = [.. held.Select(t => (float)Bm25.Weight(Math.Min(t.Holders, statistics.Visible), statistics.Capped ? statistics.Total : statistics.Visible))];
        PostgresFence fence = PostgresFence.Of(search);
        string average = fence.Add(statistics.AverageLength), query = fence.Add(PostgresRows.Query(finding));
        string sql = $"""
            WITH asked AS (SELECT * FROM unnest({fence.Add((string[])[.. held.Select(t => t.Term)])}, {fence.Add(weights)}) AS pairs (lexeme, weight)),
            scored AS MATERIALIZED (
                SELECT item.key, sum(asked.weight * {Bm25Sql("cardinality(word.positions)", "item.length", average)}) AS score
                FROM {schema.Table} AS item, unnest(item.words) AS word JOIN asked USING (lexeme)
                WHERE {fence.Where} AND words @@ {query}::tsquery
                GROUP BY item.key ORDER BY score DESC, item.key LIMIT {search.Take})
            SELECT {PostgresRows.Select}, score FROM scored JOIN {schema.Table} AS item USING (key) ORDER BY score DESC, key
            """;
        using NpgsqlCommand command = fence.Command(connection, sql);
        NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        int rank = 0;
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                long key = PostgresRows.Key(reader);
                if (!found.TryGetValue(key, out (MemoryItem Item, List<EvidenceStage> Trail) candidate)) found[key] = candidate = (PostgresRows.Read(reader), []);
                candidate.Trail.Add(new EvidenceStage("lexical", (float)reader.GetDouble(PostgresRows.Columns), ++rank));
            }
        }

        widths.Add(new StageWidth("lexical", rank));
    }

    // The same formula as Bm25.Score.
    private static string Bm25Sql(string count, string length, string average) =>
        $"{count} * 1.9 / ({count} + 0.9 * (0.6 + 0.4 * {length} / {average}))";
}
