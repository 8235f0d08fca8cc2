using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>The search by words over a file.</summary>
/// <remarks>
/// While a question finds few rows, FTS5 ranks them. Ranking reads the length of every row it looks at, which is most of the cost once there
/// are many; then only the row numbers are read, term by term, rarest first: a row's terms say what it can score at most, and the
/// texts of the best few say what it scores.
/// </remarks>
internal sealed class SqliteWords(SqliteSession session, MemorySearch search, ConcurrentDictionary<string, long> commonTerms, CancellationToken cancellationToken)
{
    private const int RankedRows = 3_000, ReadRows = 20_000, ReadTexts = 200;

    /// <summary>How many items of the file hold each term of the question.</summary>
    public Dictionary<string, long> Holders { get; } = [];

    /// <summary>The best rows, best first, each with its BM25.</summary>
    /// <param name="scopes">The scopes whose rows count.</param>
    /// <param name="visible">How many rows the fence lets through.</param>
    /// <param name="all">How many rows there are.</param>
    public List<(int Key, float Score)> Run(int[] scopes, int visible, int all)
    {
        Count();
        string[] held = [.. Holders.Where(pair => pair.Value > 0).OrderBy(pair => pair.Value).Select(pair => pair.Key)];
        if (held.Length == 0)
        {
            return [];
        }

        string within = visible < all ? $"(scope : ({string.Join(" OR ", scopes.Select(scope => Quote(SqliteItems.ScopeTerm(scope))))})) AND " : "";
        return visible <= RankedRows || held.Sum(term => Holders[term]) <= RankedRows ? Ranked($"{within}{Any(held)}") : Scored(within, held, all);
    }

    private List<(int, float)> Ranked(string match)
    {
        (string conditions, List<object?> values) = Conditions();
        string sql = conditions.Length == 0
            ? "SELECT rowid, rank FROM words WHERE words MATCH ? AND rank MATCH 'bm25(0.0, 1.0)' ORDER BY rank LIMIT ?"
            : $"SELECT w.rowid, bm25(words, 0.0, 1.0) AS score FROM words w JOIN items i ON i.key = w.rowid WHERE words MATCH ?{conditions} ORDER BY score LIMIT ?";
        SqliteStatement rows = session[sql].With([match, .. values, search.Take]);
        List<(int, float)> ranked = [];
        while (rows.Step())
        {
            ranked.Add(((int)rows.Integer(0), (float)-rows.Real(1)));
        }

        return ranked;
    }

    private List<(int, float)> Scored(string within, string[] held, int all)
    {
        (string Term, double Weight)[] terms = [.. held.Select(term => (term, Bm25.Weight(Math.Min(Holders[term], all), all)))];
        Dictionary<int, float> most = [];
        int read = 0, next = 0;
        for (; next < held.Length && read + Holders[held[next]] <= ReadRows; next++)
        {
            read += Take($"{within}{Any([held[next]])}", (float)terms[next].Weight, most);
        }

        // The terms that are left are in more rows than can be looked at, but not side by side.
        for (; next + 1 < held.Length && most.Count < search.Take; next++)
        {
            Take($"{within}text : ({Quote(held[next])} AND {Quote(held[next + 1])})", (float)(terms[next].Weight + terms[next + 1].Weight), most);
        }

        if (most.Count == 0)
        {
            Take($"{within}{Any([held[0]])}", (float)terms[0].Weight, most);
        }

        TopScored promising = new(Math.Max(ReadTexts, 2 * search.Take));
        foreach ((int key, float score) in most)
        {
            promising.Offer(score, key);
        }

        return Exact(promising.BestFirst(), terms);
    }

    private int Take(string match, float weight, Dictionary<int, float> most)
    {
        cancellationToken.ThrowIfCancellationRequested();
        (string conditions, List<object?> values) = Conditions();
        string sql = conditions.Length == 0 ? $"SELECT rowid FROM words WHERE words MATCH ? LIMIT {ReadRows}"
            : $"SELECT w.rowid FROM words w JOIN items i ON i.key = w.rowid WHERE words MATCH ?{conditions} LIMIT {ReadRows}";
        SqliteStatement rows = session[sql].With([match, .. values]);
        int read = 0;
        while (rows.Step())
        {
            CollectionsMarshal.GetValueRefOrAddDefault(most, (int)rows.Integer(0), out _) += weight;
            read++;
        }

        return read;
    }

    private List<(int, float)> Exact(List<Scored> promising, (string Term, double Weight)[] terms)
    {
        SqliteStatement row = session["SELECT text FROM items WHERE key = ?"];
        List<(int Key, List<string> Terms)> texts = new(promising.Count);
        foreach (Scored scored in promising)
        {
            row.Set(1, scored.Slot);
            if (row.Step())
            {
                texts.Add((scored.Slot, LexicalTerms.Of(row.Text(0)!)));
                row.Reset();
            }
        }

        double average = texts.Count == 0 ? 1 : Math.Max(1, texts.Average(text => text.Terms.Count));
        TopScored best = new(search.Take);
        foreach ((int key, List<string> held) in texts)
        {
            best.Offer(Bm25.Score(terms, held, average), key);
        }

        return [.. best.BestFirst().Select(scored => (scored.Slot, scored.Score))];
    }

    // A term in very many items is common for good: its count is remembered.
    private void Count()
    {
        SqliteStatement count = session["SELECT doc FROM words_terms WHERE term = ? AND col = 'text'"];
        foreach (string term in LexicalTerms.Of(search.Text).Distinct(StringComparer.Ordinal))
        {
            if (!commonTerms.TryGetValue(term, out long holders))
            {
                holders = count.With(term).Scalar() ?? 0;
                if (holders > ReadRows)
                {
                    commonTerms[term] = holders;
                }
            }

            Holders[term] = holders;
        }
    }

    private (string Sql, List<object?> Values) Conditions()
    {
        string conditions = "";
        List<object?> values = [];
        SqliteItems.AddTimeAndPairs(search.From, search.To, search.Metadata, (sql, given) =>
        {
            conditions += $" AND {sql}";
            values.AddRange(given);
        });
        return (conditions, values);
    }

    private static string Any(string[] terms) => $"text : ({string.Join(" OR ", terms.Select(Quote))})";

    // Terms hold letters, digits and marks only; quoting keeps FTS5 from reading AND, OR, NOT and NEAR as operators.
    private static string Quote(string term) => string.Create(CultureInfo.InvariantCulture, $"\"{term}\"");
}
