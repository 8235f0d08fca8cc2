using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace SkMmBert;

/// <summary>A statement with its parameters: conditions are added as they come, values never stand in the text.</summary>
internal sealed class PostgresFence
{
    private readonly List<NpgsqlParameter> _parameters = [];
    private readonly List<string> _conditions = [];

    /// <summary>The conditions, for a WHERE.</summary>
    public string Where => _conditions.Count == 0 ? "true" : string.Join(" AND ", _conditions);

    /// <summary>What a search may see: its scopes exactly, its time range, its metadata.</summary>
    public static PostgresFence Of(MemorySearch search)
    {
        PostgresFence fence = new();
        fence.AddScopes(search.Scopes);
        fence.AddRest(null, search.From, search.To, search.Metadata);
        return fence;
    }

    /// <summary>What a filter means: its scope and those inside it.</summary>
    public static PostgresFence Of(MemoryFilter filter)
    {
        PostgresFence fence = new();
        if (filter.Ids is not null) fence._conditions.Add($"id = ANY({fence.Add((string[])[.. filter.Ids])})");
        if (filter.Scope is { } scope)
        {
            foreach ((string column, string? value) in (ReadOnlySpan<(string, string?)>)[("application", scope.Application), ("agent", scope.Agent), ("person", scope.User), ("session", scope.Session)])
            {
                if (value is not null) fence._conditions.Add($"{column} = {fence.Add(value)}");
            }
        }

        fence.AddRest(filter.Source, filter.From, filter.To, filter.Metadata);
        return fence;
    }

    /// <summary>The scopes themselves, nothing inside or around them.</summary>
    public static PostgresFence Of(IReadOnlyList<MemoryScope>? scopes)
    {
        PostgresFence fence = new();
        if (scopes is not null) fence.AddScopes(scopes);
        return fence;
    }

    /// <summary>Gives a value a place in the statement.</summary>
    public string Add(object value, NpgsqlDbType? type = null)
    {
        NpgsqlParameter parameter = new() { Value = value };
        if (type is { } given) parameter.NpgsqlDbType = given;
        _parameters.Add(parameter);
        return "$" + _parameters.Count.ToString(CultureInfo.InvariantCulture);
    }

    public NpgsqlCommand Command(NpgsqlConnection connection, string sql)
    {
        NpgsqlCommand command = new(sql, connection);
        foreach (NpgsqlParameter parameter in _parameters) command.Parameters.Add(parameter.Clone());
        return command;
    }

    /// <summary>Metadata as the JSON object the column holds.</summary>
    public static string Json(IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            foreach ((string key, string value) in metadata) writer.WriteString(key, value);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // Written out one by one, so that the planner sees each as a key of the index and leaves out partitions.
    private void AddScopes(IReadOnlyList<MemoryScope> scopes)
    {
        IEnumerable<string> each = scopes.Distinct().Select(scope =>
            $"(application = {Add(scope.Application ?? "")} AND agent = {Add(scope.Agent ?? "")} AND person = {Add(scope.User ?? "")} AND session = {Add(scope.Session ?? "")})");
        _conditions.Add(scopes.Count == 0 ? "false" : $"({string.Join(" OR ", each)})");
    }

    private void AddRest(string? source, DateTimeOffset? from, DateTimeOffset? to, IReadOnlyDictionary<string, string>? metadata)
    {
        if (source is not null) _conditions.Add($"source = {Add(source)}");
        if (from is { } start) _conditions.Add($"written >= {Add(start.UtcDateTime, NpgsqlDbType.TimestampTz)}");
        if (to is { } end) _conditions.Add($"written < {Add(end.UtcDateTime, NpgsqlDbType.TimestampTz)}");
        if (metadata is { Count: > 0 }) _conditions.Add($"metadata @> {Add(Json(metadata), NpgsqlDbType.Jsonb)}");
    }
}
