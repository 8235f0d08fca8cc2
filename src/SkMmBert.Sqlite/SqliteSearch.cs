using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>One search over a file: the funnel, the words, and the items of both.</summary>
internal sealed class SqliteSearch(SqliteSession session, VectorFunnel funnel, MemorySearch search, ConcurrentDictionary<string, long> commonTerms, CancellationToken cancellationToken)
{
    // Rows the word index may rank in one search: a few milliseconds. A word in more items than this tells little; it is left to the vectors.
    private const int RowBudget = 20_000;

    private readonly Dictionary<int, List<EvidenceStage>> _trails = [];
    private readonly List<StageWidth> _widths = [];
    private Dictionary<string, long>? _holders;

    public MemorySearchResult Run()
    {
        int[] scopes = [.. search.Scopes.Select(scope => session["SELECT number FROM scopes WHERE scope = ?"].With(scope.ToString()).Scalar()).OfType<long>().Select(number => (int)number)];
        if (scopes.Length == 0 || search.Take <= 0)
        {
            return MemorySearchResult.Empty;
        }

        if (!search.Vector.IsEmpty)
        {
            HashSet<int>? keys = search.Metadata is { Count: > 0 } pairs ? KeysWith(pairs) : null;
            VectorFunnel.Fence fence = new(
                scopes, search.From is { } from ? SqliteBlobs.Seconds(from) : 0, search.To is { } to ? SqliteBlobs.Seconds(to) : uint.MaxValue, keys is null ? null : keys.Contains);
            if (search.Exact)
            {
                ScanAll(fence);
            }
            else
            {
                Narrow(fence);
            }
        }

        if (search.Text.Length > 0)
        {
            SearchWords(scopes);
        }

        return new MemorySearchResult(Fetch(), _widths) { Items = funnel.Alive, Holders = _holders };
    }

    private void Narrow(in VectorFunnel.Fence fence)
    {
        List<VectorFunnel.Found> found = funnel.Search(
            search.Vector.Span, search.Take, FunnelWidths.For(funnel.Alive, search.Take), fence, ReadBytes, ReadFull, _widths, cancellationToken);
        for (int i = 0; i < found.Count; i++)
        {
            _trails[found[i].Key] = funnel.TrailOf(found[i], i + 1);
        }
    }

    // A row may be gone by now, if another process removed it: it stays zero here and is left out when the items are fetched.
    private void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> scales)
    {
        SqliteStatement middle = session["SELECT data FROM middle WHERE key = ?"];
        int length = funnel.RetrieveLength;
        for (int i = 0; i < keys.Length; i++)
        {
            middle.Set(1, keys[i]);
            if (middle.Step())
            {
                ReadOnlySpan<byte> blob = middle.Blob(0);
                scales[i] = MemoryMarshal.Read<float>(blob);
                MemoryMarshal.Cast<byte, sbyte>(blob[4..]).CopyTo(rows.Slice(i * length, length));
                middle.Reset();
            }
        }
    }

    private void ReadFull(ReadOnlySpan<int> keys, Span<float> rows)
    {
        SqliteStatement full = session["SELECT data FROM full WHERE key = ?"];
        int length = search.Vector.Length;
        for (int i = 0; i < keys.Length; i++)
        {
            full.Set(1, keys[i]);
            if (full.Step())
            {
                SqliteBlobs.ReadFull(full.Blob(0), rows.Slice(i * length, length));
                full.Reset();
            }
        }
    }

    private void ScanAll(in VectorFunnel.Fence fence)
    {
        List<(int Slot, int Key)> within = funnel.Within(fence);
        TopScored best = new(search.Take);
        float[] vector = new float[search.Vector.Length];
        SqliteStatement rows = session["SELECT key, data FROM full ORDER BY key"];
        for (int i = 0; i < within.Count && rows.Step();)
        {
            while (i < within.Count && within[i].Key < rows.Integer(0))
            {
                i++;
            }

            if (i < within.Count && within[i].Key == rows.Integer(0))
            {
                if ((i++ & 1023) == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }

                SqliteBlobs.ReadFull(rows.Blob(1), vector);
                best.Offer(TensorPrimitives.Dot(search.Vector.Span, vector), (int)rows.Integer(0));
            }
        }

        rows.Reset();
        _widths.Add(new StageWidth("match", within.Count));
        List<Scored> ranked = best.BestFirst();
        for (int i = 0; i < ranked.Count; i++)
        {
            _trails[ranked[i].Slot] = [new EvidenceStage("match", ranked[i].Score, i + 1)];
        }
    }

    private void SearchWords(int[] scopes)
    {
        List<string> terms = TellingTerms();
        if (terms.Count == 0)
        {
            _widths.Add(new StageWidth("lexical", 0));
            return;
        }

        string match = $"text : ({string.Join(" OR ", terms.Select(Quote))})";
        string visible = string.Join(" OR ", scopes.Select(scope => Quote(SqliteItems.ScopeTerm(scope))));
        if (session["SELECT count(*) FROM scopes"].Scalar() > scopes.Length)
        {
            match = $"(scope : ({visible})) AND ({match})";
        }

        List<string> conditions = [];
        List<object?> values = [match];
        SqliteItems.AddTimeAndPairs(search.From, search.To, search.Metadata, (sql, given) =>
        {
            conditions.Add(sql);
            values.AddRange(given);
        });
        string sql = conditions.Count == 0
            ? "SELECT rowid, rank FROM words WHERE words MATCH ? AND rank MATCH 'bm25(0.0, 1.0)' ORDER BY rank LIMIT ?"
            : $"SELECT w.rowid, bm25(words, 0.0, 1.0) AS score FROM words w JOIN items i ON i.key = w.rowid WHERE words MATCH ? AND {string.Join(" AND ", conditions)} ORDER BY score LIMIT ?";
        SqliteStatement rows = session[sql].With([.. values, search.Take]);
        int rank = 0;
        while (rows.Step())
        {
            int key = (int)rows.Integer(0);
            if (!_trails.TryGetValue(key, out List<EvidenceStage>? trail))
            {
                _trails[key] = trail = [];
            }

            trail.Add(new EvidenceStage("lexical", (float)-rows.Real(1), ++rank));
        }

        _widths.Add(new StageWidth("lexical", rank));
    }

    // The rarest terms, as many as the row budget allows. A term in more items than that is common for good: its count is remembered.
    private List<string> TellingTerms()
    {
        _holders = [];
        SqliteStatement count = session["SELECT doc FROM words_terms WHERE term = ? AND col = 'text'"];
        foreach (string term in LexicalTerms.Of(search.Text).Distinct(StringComparer.Ordinal))
        {
            if (!commonTerms.TryGetValue(term, out long holders))
            {
                holders = count.With(term).Scalar() ?? 0;
                if (holders > RowBudget)
                {
                    commonTerms[term] = holders;
                }
            }

            _holders[term] = holders;
        }

        long total = 0;
        return [.. _holders.Where(pair => pair.Value > 0).OrderBy(pair => pair.Value).TakeWhile(pair => (total += pair.Value) <= RowBudget).Select(pair => pair.Key)];
    }

    private HashSet<int> KeysWith(IReadOnlyDictionary<string, string> pairs)
    {
        HashSet<int>? keys = null;
        foreach ((string name, string value) in pairs)
        {
            HashSet<int> holders = [];
            SqliteStatement rows = session["SELECT key FROM pairs WHERE name = ? AND value = ?"].With(name, value);
            while (rows.Step())
            {
                holders.Add((int)rows.Integer(0));
            }

            keys = keys is null ? holders : [.. keys.Intersect(holders)];
        }

        return keys!;
    }

    private List<MemoryCandidate> Fetch()
    {
        SqliteStatement row = session[$"SELECT {SqliteItems.Columns}, f.data {SqliteItems.From} JOIN full f ON f.key = i.key WHERE i.key = ?"];
        List<MemoryCandidate> candidates = new(_trails.Count);
        foreach ((int key, List<EvidenceStage> trail) in _trails)
        {
            row.Set(1, key);
            if (row.Step())
            {
                float[] vector = new float[funnel.FullLength];
                SqliteBlobs.ReadFull(row.Blob(9), vector);
                MemoryItem item = SqliteItems.Read(row) with { Vector = vector };
                row.Reset();

                // The funnel's clock has whole seconds; the item's own time decides.
                if ((search.From is null || item.Time >= search.From) && (search.To is null || item.Time < search.To))
                {
                    candidates.Add(new MemoryCandidate(item, trail));
                }
            }
        }

        return candidates;
    }

    // Terms hold letters, digits and marks only; quoting keeps FTS5 from reading AND, OR, NOT and NEAR as operators.
    private static string Quote(string term) => string.Create(CultureInfo.InvariantCulture, $"\"{term}\"");
}
