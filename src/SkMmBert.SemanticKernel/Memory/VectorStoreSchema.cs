using System.Globalization;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace SkMmBert;

/// <summary>How an item lies in a vector store: the properties, their definition, and the way there and back.</summary>
internal sealed class VectorStoreSchema(IReadOnlyList<int> tiers, VectorStoreMemoryOptions options)
{
    // Names that every store takes as they are.
    public const string Key = "key", Id = "id", Text = "text", Source = "source", Start = "start", End = "end", Time = "time", Sequence = "sequence", Metadata = "metadata", Tags = "tags",
        Scope = "scope", Application = "application", Agent = "agent", User = "user", Session = "session";

    public IReadOnlyList<int> Tiers => tiers;

    /// <summary>The property of the vectors of a length.</summary>
    public static string Vector(int dimensions) => $"vector{dimensions.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The dimensions of the tier that the store searches by.</summary>
    public int FirstDimensions => options.FirstTier switch
    {
        VectorTier.Route => tiers[0],
        VectorTier.Match => tiers[^1],
        _ => tiers[Math.Max(0, tiers.Count - 2)],
    };

    /// <summary>The name of the stage that a tier's comparison is.</summary>
    public string StageOf(int dimensions) => dimensions == tiers[^1] ? "match" : dimensions == tiers[0] && tiers.Count > 2 ? "route" : "retrieve";

    public VectorStoreCollectionDefinition Definition()
    {
        VectorStoreCollectionDefinition definition = new()
        {
            Properties =
            [
                new VectorStoreKeyProperty(Key, options.TextKeys ? typeof(string) : typeof(Guid)),
                new VectorStoreDataProperty(Id, typeof(string)) { IsIndexed = true },
                new VectorStoreDataProperty(Text, typeof(string)) { IsFullTextIndexed = true },
                new VectorStoreDataProperty(Source, typeof(string)) { IsIndexed = true },
                new VectorStoreDataProperty(Start, typeof(int)),
                new VectorStoreDataProperty(End, typeof(int)),
                new VectorStoreDataProperty(Time, typeof(long)) { IsIndexed = true },
                new VectorStoreDataProperty(Sequence, typeof(long)) { IsIndexed = true },
                new VectorStoreDataProperty(Metadata, typeof(string)),
                .. new[] { Scope, Application, Agent, User, Session }.Select(name => new VectorStoreDataProperty(name, typeof(string)) { IsIndexed = true }),
                .. tiers.Select(dimensions => new VectorStoreVectorProperty(Vector(dimensions), typeof(ReadOnlyMemory<float>), dimensions) { EmbeddingGenerator = options.Generator?.WithDimensions(dimensions) }),
            ],
        };
        if (options.MetadataInStore)
        {
            definition.Properties.Add(new VectorStoreDataProperty(Tags, typeof(List<string>)) { IsIndexed = true });
        }

        options.Configure?.Invoke(definition);
        return definition;
    }

    /// <summary>The key of an item: scope, id and start name it.</summary>
    public object KeyOf(MemoryItem item) => KeyOf($"{item.Scope}\n{item.Id}\n{item.Start.ToString(CultureInfo.InvariantCulture)}");

    public object KeyOf(string name)
    {
        Guid key = new(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
        return options.TextKeys ? key.ToString("N") : key;
    }

    public Dictionary<string, object?> Write(MemoryItem item, object key, long sequence)
    {
        MemoryScope scope = item.Scope!;
        Dictionary<string, object?> record = new()
        {
            [Key] = key, [Id] = item.Id, [Text] = item.Text, [Source] = item.Source, [Start] = item.Start, [End] = item.End,
            [Time] = item.Time!.Value.UtcTicks, [Sequence] = sequence, [Metadata] = WriteMetadata(item.Metadata),
            [Scope] = scope.ToString(), [Application] = scope.Application ?? "", [Agent] = scope.Agent ?? "", [User] = scope.User ?? "", [Session] = scope.Session ?? "",
        };
        if (options.MetadataInStore)
        {
            record[Tags] = item.Metadata.Select(pair => Tag(pair.Key, pair.Value)).ToList();
        }

        foreach (int dimensions in tiers)
        {
            record[Vector(dimensions)] = Prefix(item.Vector.Span, dimensions);
        }

        return record;
    }

    public MemoryItem Read(Dictionary<string, object?> record) => new()
    {
        Id = (string)record[Id]!,
        Text = (string)record[Text]!,
        Source = (string?)record[Source],
        Start = Convert.ToInt32(record[Start], CultureInfo.InvariantCulture),
        End = Convert.ToInt32(record[End], CultureInfo.InvariantCulture),
        Time = new DateTimeOffset(Number(record, Time), TimeSpan.Zero),
        Metadata = ReadMetadata((string?)record[Metadata]),
        Scope = new() { Application = (string?)record[Application], Agent = (string?)record[Agent], User = (string?)record[User], Session = (string?)record[Session] },
        Vector = record.GetValueOrDefault(Vector(tiers[^1])) switch
        {
            ReadOnlyMemory<float> vector => vector,
            Embedding<float> embedding => embedding.Vector,
            float[] vector => vector,
            _ => default,
        },
    };

    public static long Number(Dictionary<string, object?> record, string name) => Convert.ToInt64(record[name], CultureInfo.InvariantCulture);

    public static string Tag(string name, string value) => Uri.EscapeDataString(name) + "=" + value;

    /// <summary>The leading numbers of a vector, of length 1 again.</summary>
    public static ReadOnlyMemory<float> Prefix(ReadOnlySpan<float> vector, int dimensions)
    {
        float[] prefix = vector[..dimensions].ToArray();
        float norm = TensorPrimitives.Norm<float>(prefix);
        if (norm > 0)
        {
            TensorPrimitives.Divide(prefix, norm, prefix);
        }

        return prefix;
    }

    private static string WriteMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            foreach ((string name, string value) in metadata)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static Dictionary<string, string> ReadMetadata(string? json)
    {
        using JsonDocument document = JsonDocument.Parse(string.IsNullOrEmpty(json) ? "{}" : json);
        return document.RootElement.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!);
    }
}
