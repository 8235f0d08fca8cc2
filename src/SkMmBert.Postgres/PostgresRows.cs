using System.Collections.ObjectModel;
using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SkMmBert;

/// <summary>Items as rows: the columns that are read, and words as the server stores them.</summary>
internal static class PostgresRows
{
    /// <summary>Number of columns of <see cref="Select"/>.</summary>
    public const int Columns = 13;

    /// <summary>The columns of a whole item, of a table called item.</summary>
    public const string Select =
        "item.key, item.application, item.agent, item.person, item.session, item.id, item.range_start, item.range_end, item.source, item.text, item.metadata::text, item.written, item.vector::real[]";

    // An array holds at most this many places of one word; more make no difference to its weight.
    private const int MaxPlaces = 255;

    // The server holds under 1 MiB of words for one text; what is beyond is found by its vector only.
    private const int MaxWordBytes = 900_000;

    public static long Key(DbDataReader row) => row.GetInt64(0);

    public static MemoryItem Read(DbDataReader row) => new()
    {
        Scope = new MemoryScope { Application = row.GetString(1), Agent = row.GetString(2), User = row.GetString(3), Session = row.GetString(4) },
        Id = row.GetString(5),
        Start = row.GetInt32(6),
        End = row.GetInt32(7),
        Source = row.IsDBNull(8) ? null : row.GetString(8),
        Text = row.GetString(9),
        Metadata = Metadata(row.GetString(10)),
        Time = new DateTimeOffset(row.GetDateTime(11), TimeSpan.Zero),
        Vector = row.IsDBNull(12) ? default : row.GetFieldValue<float[]>(12),
    };

    /// <summary>Words with a place for each time they occur, and how many there are in all.</summary>
    public static (string Words, int Length) Words(string text)
    {
        List<string> terms = LexicalTerms.Of(text);
        StringBuilder words = new();
        int bytes = 0;
        foreach (IGrouping<string, string> term in terms.GroupBy(t => t, StringComparer.Ordinal))
        {
            int count = Math.Min(MaxPlaces, term.Count());
            bytes += Encoding.UTF8.GetByteCount(term.Key) + (2 * count) + 4;
            if (bytes > MaxWordBytes) break;
            Quote(words, term.Key).Append(':');
            for (int place = 1; place <= count; place++) words.Append(CultureInfo.InvariantCulture, $"{(place > 1 ? "," : "")}{place}");
            words.Append(' ');
        }

        return (words.ToString(), terms.Count);
    }

    /// <summary>A query for items that hold any of the words.</summary>
    public static string Query(IEnumerable<string> terms)
    {
        StringBuilder query = new();
        foreach (string term in terms) Quote(query.Append(query.Length > 0 ? " | " : ""), term);
        return query.ToString();
    }

    private static StringBuilder Quote(StringBuilder to, string term) =>
        to.Append('\'').Append(term.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)).Append('\'');

    private static ReadOnlyDictionary<string, string> Metadata(string json)
    {
        if (json == "{}") return ReadOnlyDictionary<string, string>.Empty;
        using JsonDocument document = JsonDocument.Parse(json);
        Dictionary<string, string> metadata = [];
        foreach (JsonProperty pair in document.RootElement.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
        return metadata.AsReadOnly();
    }
}
