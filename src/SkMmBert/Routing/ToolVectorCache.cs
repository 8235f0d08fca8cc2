using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Vectors of tool texts as bytes, kept under the hash of the text, so that the same text is never embedded twice.</summary>
/// <remarks>Not thread-safe: the router's build lock guards it.</remarks>
internal sealed class ToolVectorCache(IEmbeddingGenerator<string, Embedding<float>> embedder)
{
    private const int BatchTexts = 256;
    private static readonly byte[] s_magic = "SKMMTOOL"u8.ToArray();
    private const int Version = 1;

    private readonly Dictionary<UInt128, sbyte[]> _vectors = [];

    /// <summary>Length of every vector; 0 before the first.</summary>
    public int Width { get; private set; }

    public int Count => _vectors.Count;

    public sbyte[] this[UInt128 hash] => _vectors[hash];

    /// <summary>Embeds the texts that are not here yet. A cancelled call keeps what it has.</summary>
    public async Task AddAsync(IEnumerable<(UInt128 Hash, string Text)> texts, CancellationToken cancellationToken)
    {
        foreach ((UInt128 Hash, string Text)[] batch in texts.Where(text => !_vectors.ContainsKey(text.Hash)).DistinctBy(text => text.Hash).ToArray().Chunk(BatchTexts))
        {
            cancellationToken.ThrowIfCancellationRequested();
            GeneratedEmbeddings<Embedding<float>> vectors = await embedder.GenerateAsync(batch.Select(text => text.Text), cancellationToken: cancellationToken).ConfigureAwait(false);
            if (vectors.Count != batch.Length)
            {
                throw new InvalidOperationException($"The embedding generator returned {vectors.Count} vectors for {batch.Length} texts. Expected: one for each.");
            }

            for (int i = 0; i < batch.Length; i++)
            {
                ReadOnlySpan<float> vector = vectors[i].Vector.Span;
                CheckWidth(vector.Length);
                sbyte[] bytes = new sbyte[vector.Length];
                Quantization.ToInt8(vector, bytes);
                _vectors[batch[i].Hash] = bytes;
            }
        }
    }

    public void CheckWidth(int length)
    {
        Width = Width == 0 ? length : Width;
        if (length != Width || length == 0)
        {
            throw new InvalidOperationException($"The embedding generator returned a vector of {length} dimensions. Expected: {(Width == 0 ? "at least 1" : Width)}, as for the tools before.");
        }
    }

    /// <summary>Writes the vectors under the name of their model.</summary>
    public void Save(Stream stream, string model)
    {
        using BinaryWriter writer = new(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(s_magic);
        writer.Write(Version);
        writer.Write(model);
        writer.Write(Width);
        writer.Write(_vectors.Count);
        Span<byte> key = stackalloc byte[16];
        foreach ((UInt128 hash, sbyte[] vector) in _vectors)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(key, hash);
            writer.Write(key);
            writer.Write((byte[])(Array)vector);
        }
    }

    /// <summary>Adds saved vectors.</summary>
    /// <exception cref="InvalidDataException">They are another model's, or the file is broken.</exception>
    public void Load(Stream stream, string model)
    {
        using BinaryReader reader = new(stream, Encoding.UTF8, leaveOpen: true);
        try
        {
            if (!reader.ReadBytes(s_magic.Length).AsSpan().SequenceEqual(s_magic) || reader.ReadInt32() is var version && version != Version)
            {
                throw new InvalidDataException($"The tool index is no such file or of another version. Expected: version {Version}, as ToolRouter.SaveIndex writes it; build it anew.");
            }

            string saved = reader.ReadString();
            if (saved != model)
            {
                throw new InvalidDataException($"The tool index was written with the model '{saved}', but this router uses '{model}'. Build it anew with this model.");
            }

            int width = reader.ReadInt32(), count = reader.ReadInt32();
            if (width is < 0 or > 65_536 || count < 0 || (count > 0 && width == 0))
            {
                throw new InvalidDataException($"The tool index says {count} vectors of {width} dimensions. Expected: 1 to 65,536 dimensions; the file is broken, build it anew.");
            }

            Dictionary<UInt128, sbyte[]> read = [];
            for (int i = 0; i < count; i++)
            {
                UInt128 hash = BinaryPrimitives.ReadUInt128LittleEndian(Exactly(reader, 16));
                read[hash] = (sbyte[])(Array)Exactly(reader, width);
            }

            if (count > 0)
            {
                CheckWidth(width);
            }

            foreach ((UInt128 hash, sbyte[] vector) in read)
            {
                _vectors[hash] = vector;
            }
        }
        catch (EndOfStreamException error)
        {
            throw new InvalidDataException("The tool index ends too early. Expected: all vectors it announces; build it anew.", error);
        }
    }

    private static byte[] Exactly(BinaryReader reader, int length)
    {
        byte[] bytes = reader.ReadBytes(length);
        return bytes.Length == length ? bytes : throw new EndOfStreamException();
    }
}
