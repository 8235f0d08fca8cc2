using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SkMmBert;

/// <summary>Items as rows: writing, removing, filtering and reading them back.</summary>
internal static class SqliteItems
{
    /// <summary>Columns <see cref="Read"/> expects, for <c>items i JOIN scopes s</c>.</summary>
    public const string Columns = "i.key, i.id, i.start, i.\"end\", i.time, i.source, i.text, i.metadata, s.scope";

    public const string From = "FROM items i JOIN scopes s ON s.number = i.scope";

    public static MemoryItem Read(SqliteStatement row) => new()
    {
        Id = row.Text(1)!,
        Start = (int)row.Integer(2),
        End = (int)row.Integer(3),
        Time = new DateTimeOffset(row.Integer(4), TimeSpan.Zero),
        Source = row.Text(5),
        Text = row.Text(6)!,
        Metadata = row.Text(7) is { } json ? ReadMetadata(json) : new MemoryItem { Text = "" }.Metadata,
        Scope = MemoryScope.Parse(row.Text(8)!),
    };

    public static void Write(SqliteSession session, SqliteRow row, int scope)
    {
        MemoryItem item = row.Item;
        SqliteStatement insert = session["INSERT INTO items(scope, id, start, \"end\", time, source, text, metadata) VALUES(?, ?, ?, ?, ?, ?, ?, ?) RETURNING key"];
        insert.Set(1, scope);
        insert.Set(2, item.Id);
        insert.Set(3, item.Start);
        insert.Set(4, item.End);
        insert.Set(5, item.Time!.Value.UtcTicks);
        insert.Set(6, item.Source);
        insert.Set(7, item.Text);
        insert.Set(8, row.Metadata);
        long key = insert.Scalar()!.Value;
        foreach ((string name, string value) in item.Metadata)
        {
            session["INSERT INTO pairs(name, value, key) VALUES(?, ?, ?)"].With(name, value, key).Run();
        }

        WriteVectors(session, "", key, row, scope);
        SqliteStatement words = session["INSERT INTO words(rowid, scope, text) VALUES(?, ?, ?)"];
        words.Set(1, key);
        words.Set(2, ScopeTerm(scope));
        words.Set(3, row.Words);
        words.Run();
    }

    public static void WriteVectors(SqliteSession session, string suffix, long key, SqliteRow row, int scope)
    {
        Put(session, $"coarse{suffix}", key, row.Coarse(scope));
        Put(session, $"full{suffix}", key, row.Full);
        if (row.Middle is { } middle)
        {
            Put(session, $"middle{suffix}", key, middle);
        }
    }

    public static void Remove(SqliteSession session, List<long> keys, CancellationToken cancellationToken)
    {
        foreach (long key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (session["SELECT metadata FROM items WHERE key = ?"].With(key).ScalarText() is { } json)
            {
                foreach ((string name, string value) in ReadMetadata(json))
                {
                    session["DELETE FROM pairs WHERE name = ? AND value = ? AND key = ?"].With(name, value, key).Run();
                }
            }

            session["DELETE FROM items WHERE key = ?"].With(key).Run();
            session["DELETE FROM coarse WHERE key = ?"].With(key).Run();
            session["DELETE FROM middle WHERE key = ?"].With(key).Run();
            session["DELETE FROM full WHERE key = ?"].With(key).Run();
            session["DELETE FROM words WHERE rowid = ?"].With(key).Run();
            session["INSERT INTO removals(key) VALUES(?)"].With(key).Run();
        }
    }

    public static int ScopeNumber(SqliteSession session, MemoryScope scope)
    {
        string text = scope.ToString();
        return (int)(session["SELECT number FROM scopes WHERE scope = ?"].With(text).Scalar() ??
            session["INSERT INTO scopes(scope, application, agent, user, session) VALUES(?, ?, ?, ?, ?) RETURNING number"]
                .With(text, scope.Application, scope.Agent, scope.User, scope.Session).Scalar()!.Value);
    }

    public static string ScopeTerm(int scope) => string.Create(CultureInfo.InvariantCulture, $"s{scope}");

    /// <summary>The condition of a filter over <c>items i</c>, with the values of its parameters.</summary>
    public static (string Sql, object?[] Values) Where(MemoryFilter filter)
    {
        List<string> conditions = ["1"];
        List<object?> values = [];
        void Add(string sql, params object?[] given)
        {
            conditions.Add(sql);
            values.AddRange(given);
        }

        if (filter.Ids is not null)
        {
            Add("i.id IN (SELECT value FROM json_each(?))", WriteArray(filter.Ids));
        }

        if (filter.Source is not null)
        {
            Add("i.source = ?", filter.Source);
        }

        if (filter.Scope is { } scope)
        {
            List<string> parts = ["1"];
            foreach ((string name, string? value) in new[] { ("application", scope.Application), ("agent", scope.Agent), ("user", scope.User), ("session", scope.Session) })
            {
                if (value is not null)
                {
                    parts.Add($"{name} = ?");
                    values.Add(value);
                }
            }

            conditions.Add($"i.scope IN (SELECT number FROM scopes WHERE {string.Join(" AND ", parts)})");
        }

        AddTimeAndPairs(filter.From, filter.To, filter.Metadata, Add);
        return (string.Join(" AND ", conditions), [.. values]);
    }

    public static void AddTimeAndPairs(DateTimeOffset? from, DateTimeOffset? to, IReadOnlyDictionary<string, string>? pairs, Action<string, object?[]> add)
    {
        if (from is not null)
        {
            add("i.time >= ?", [from.Value.UtcTicks]);
        }

        if (to is not null)
        {
            add("i.time < ?", [to.Value.UtcTicks]);
        }

        foreach ((string name, string value) in pairs ?? new MemoryItem { Text = "" }.Metadata)
        {
            add("i.key IN (SELECT key FROM pairs WHERE name = ? AND value = ?)", [name, value]);
        }
    }

    public static string WriteMetadata(IReadOnlyDictionary<string, string> metadata) => WriteJson(json =>
    {
        json.WriteStartObject();
        foreach ((string name, string value) in metadata)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    });

    private static void Put(SqliteSession session, string table, long key, ReadOnlySpan<byte> data)
    {
        SqliteStatement put = session.Put(table);
        put.Set(1, key);
        put.Set(2, data);
        put.Run();
    }

    private static string WriteArray(IReadOnlyCollection<string> values) => WriteJson(json =>
    {
        json.WriteStartArray();
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    });

    private static string WriteJson(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static Dictionary<string, string> ReadMetadata(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Dictionary<string, string> metadata = [];
        foreach (JsonProperty pair in document.RootElement.EnumerateObject())
        {
            metadata[pair.Name] = pair.Value.GetString()!;
        }

        return metadata;
    }
}
