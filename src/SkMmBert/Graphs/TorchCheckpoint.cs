using System.IO.Compression;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>The tensors of a file that <c>torch.save</c> wrote from a state dict; nothing in the file is ever run.</summary>
internal static class TorchCheckpoint
{
    private const long MaxFileBytes = 1L << 30;
    private const int MaxPickleBytes = 16 << 20, MaxEntries = 1 << 16;

    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>Reads all tensors, widened to single precision and laid out densely.</summary>
    public static IReadOnlyDictionary<string, TorchTensor> Read(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length is < 4 or > MaxFileBytes)
        {
            throw Broken(path, $"has {stream.Length:N0} bytes", $"4 to {MaxFileBytes:N0}");
        }

        Span<byte> magic = stackalloc byte[4];
        stream.ReadExactly(magic);
        if (!magic.SequenceEqual("PK\x3\x4"u8))
        {
            throw new InvalidDataException(magic[0] == 0x80
                ? $"'{path}' is a bare pickle, the format of torch.save before version 1.6. Expected: the zip format; load it with a newer torch and save it again, or use safetensors."
                : $"'{path}' is no zip archive. Expected: a file of torch.save; download it again.");
        }

        stream.Position = 0;
        try
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Read, leaveOpen: true);
            return Read(path, archive, stream.Length);
        }
        catch (InvalidDataException exception) when (!exception.Message.StartsWith($"'{path}'", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{path}' is a damaged zip archive ({exception.Message.ReplaceLineEndings(" ")}). Expected: a complete file of torch.save; download it again.", exception);
        }
        catch (EndOfStreamException exception)
        {
            throw new InvalidDataException($"'{path}' ends too early. Expected: a complete file of torch.save; download it again.", exception);
        }
    }

    private static Dictionary<string, TorchTensor> Read(string path, ZipArchive archive, long fileBytes)
    {
        Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            string name = entry.FullName;
            if (name.Split('/').Contains("..") || name.StartsWith('/') || name.AsSpan().IndexOfAny("\\:\0") >= 0)
            {
                throw Broken(path, $"has an entry \"{name}\"", "names that stay inside the archive");
            }

            if (!entries.TryAdd(name, entry) || entries.Count > MaxEntries)
            {
                throw Broken(path, $"has entry \"{name}\" twice, or more than {MaxEntries:N0} entries", "each entry once");
            }
        }

        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal) && name.IndexOf('/') == name.Length - "/data.pkl".Length)];
        if (pickles.Length != 1)
        {
            throw Broken(path, $"has {pickles.Length} entries named data.pkl", "one, in the archive's only folder");
        }

        string root = pickles[0][..^"data.pkl".Length];
        if (entries.TryGetValue(root + "byteorder", out ZipArchiveEntry? order) && !ReadEntry(path, order, 16).AsSpan().SequenceEqual("little"u8))
        {
            throw Broken(path, "says that its numbers are not little-endian", "little-endian; save it again on an ordinary machine");
        }

        object? state = new PickleReader(path, ReadEntry(path, entries[pickles[0]], MaxPickleBytes)).Read();
        if (state is not PickleDictionary dictionary)
        {
            throw Broken(path, "does not hold a dictionary", "a state dict of tensors");
        }

        Dictionary<string, byte[]> storages = new(StringComparer.Ordinal);
        Dictionary<string, TorchTensor> tensors = new(StringComparer.Ordinal);
        long total = 0;
        foreach ((object key, object? value) in dictionary.Items)
        {
            if (key is not string name || value is not PickleTensor tensor)
            {
                throw Broken(path, $"has something else than a tensor under \"{key}\"", "a state dict: names and tensors");
            }

            if (!storages.TryGetValue(tensor.Storage.Key, out byte[]? bytes))
            {
                bytes = entries.TryGetValue($"{root}data/{tensor.Storage.Key}", out ZipArchiveEntry? entry)
                    ? ReadEntry(path, entry, MaxFileBytes)
                    : throw Broken(path, $"has no entry data/{tensor.Storage.Key} for tensor \"{name}\"", "the data of every tensor");
                storages.Add(tensor.Storage.Key, bytes);
            }

            // Views may share a storage, but a file cannot ask for more values than it has bytes by naming one view a million times.
            TorchTensor widened = Widen(path, name, tensor, bytes);
            tensors.Add(name, (total += widened.Values.Length) <= fileBytes ? widened : throw Broken(path, $"unfolds to more than {fileBytes:N0} values", "at most one for each byte of the file"));
        }

        return tensors;
    }

    private static TorchTensor Widen(string path, string name, PickleTensor tensor, byte[] bytes)
    {
        int size = tensor.Storage.Type switch { PickleStorageType.Double => 8, PickleStorageType.Float => 4, _ => 2 };
        long elements = 1, last = tensor.Offset;
        if (tensor.Storage.Elements > bytes.Length / size)
        {
            throw Broken(path, $"stores {bytes.Length:N0} bytes for data/{tensor.Storage.Key} (tensor \"{name}\")", $"{tensor.Storage.Elements:N0} values of {size} bytes");
        }

        for (int i = 0; i < tensor.Shape.Length; i++)
        {
            // All of these are at most the stored elements once checked, so no product overflows.
            long room = tensor.Storage.Elements;
            if (tensor.Shape[i] < 0 || tensor.Strides[i] < 0 || tensor.Shape[i] > room || tensor.Strides[i] > room || elements * tensor.Shape[i] > room)
            {
                throw Broken(path, $"gives tensor \"{name}\" shape [{string.Join(", ", tensor.Shape)}] and strides [{string.Join(", ", tensor.Strides)}]", $"at most the {room:N0} stored values");
            }

            elements *= tensor.Shape[i];
            last += Math.Max(0, tensor.Shape[i] - 1) * tensor.Strides[i];
        }

        if (tensor.Offset < 0 || (elements > 0 && last >= tensor.Storage.Elements))
        {
            throw Broken(path, $"lets tensor \"{name}\" begin at value {tensor.Offset:N0} and end at {last:N0}", $"a part of its {tensor.Storage.Elements:N0} stored values");
        }

        float[] values = new float[elements];
        int[] index = new int[tensor.Shape.Length];
        long at = tensor.Offset;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Value(tensor.Storage.Type, bytes, (int)at);
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                at += tensor.Strides[axis];
                if (++index[axis] < tensor.Shape[axis])
                {
                    break;
                }

                at -= tensor.Strides[axis] * tensor.Shape[axis];
                index[axis] = 0;
            }
        }

        return new TorchTensor(tensor.Shape, values);
    }

    private static float Value(PickleStorageType type, ReadOnlySpan<byte> bytes, int i) => type switch
    {
        PickleStorageType.Float => MemoryMarshal.Cast<byte, float>(bytes)[i],
        PickleStorageType.Half => (float)MemoryMarshal.Cast<byte, Half>(bytes)[i],
        PickleStorageType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[i] << 16),
        _ => (float)MemoryMarshal.Cast<byte, double>(bytes)[i],
    };

    // torch stores entries as they are; a compressed one could unfold to any size.
    private static byte[] ReadEntry(string path, ZipArchiveEntry entry, long maxBytes)
    {
        if (entry.Length > maxBytes || entry.CompressedLength != entry.Length)
        {
            throw Broken(path, $"has an entry \"{entry.FullName}\" of {entry.Length:N0} bytes ({entry.CompressedLength:N0} stored)", $"not compressed, at most {maxBytes:N0}");
        }

        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        uint crc = ~0u;
        foreach (byte value in bytes)
        {
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc == entry.Crc32 ? bytes : throw Broken(path, $"has an entry \"{entry.FullName}\" whose checksum is {~crc:x8}", $"{entry.Crc32:x8}");
    }

    private static uint[] MakeCrcTable()
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }

    private static InvalidDataException Broken(string path, string found, string expected) => new($"'{path}' {found}. Expected: {expected}; the file is damaged or not to be trusted, download it again.");
}

/// <summary>One tensor, dense and in single precision.</summary>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Values">The values in row order.</param>
internal sealed record TorchTensor(long[] Shape, float[] Values);
