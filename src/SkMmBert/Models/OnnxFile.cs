using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert;

/// <summary>A node of an ONNX graph: its operator and the values it reads.</summary>
internal sealed record OnnxNode(string Operator, string[] Inputs);

/// <summary>A weight of an ONNX graph: in the file itself or in one beside it.</summary>
internal sealed record OnnxWeight(int Type, long[] Shape, byte[] Data, string? Location, long Offset, long Length);

/// <summary>The structure of a published ONNX file: nodes, weights' places and outputs, without the weights themselves.</summary>
/// <remarks>Field numbers are those of onnx.proto3 (github.com/onnx/onnx).</remarks>
internal sealed class OnnxFile
{
    // Weights up to this size are kept: a norm's scale is a few kilobytes.
    private const int KeptBytes = 1 << 20;
    private readonly Dictionary<string, OnnxNode> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxWeight> _weights = new(StringComparer.Ordinal);
    private readonly List<(string Name, int Rank)> _outputs = [];

    private OnnxFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>Weights by name.</summary>
    public IReadOnlyDictionary<string, OnnxWeight> Weights => _weights;

    /// <summary>Outputs by name with their number of dimensions.</summary>
    public IReadOnlyList<(string Name, int Rank)> Outputs => _outputs;

    /// <summary>The node that makes a value; null for inputs and weights.</summary>
    public OnnxNode? Producer(string value) => _producers.GetValueOrDefault(value);

    public static unsafe OnnxFile Read(string path)
    {
        OnnxFile file = new(path);
        long length = new FileInfo(path).Length;
        if (length is 0 or > int.MaxValue)
        {
            throw file.Broken($"has {length:N0} bytes");
        }

        using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            file.ReadModel(new ReadOnlySpan<byte>(start + view.PointerOffset, (int)length));
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return file._outputs.Count > 0 ? file : throw file.Broken("has no graph with an output");
    }

    /// <summary>A weight's values; null where they are not floating point or not to be had.</summary>
    public float[]? Floats(string name)
    {
        OnnxWeight weight = _weights[name];
        long count = weight.Shape.Aggregate(1L, (all, size) => all * size);
        int size = weight.Type switch { 1 => 4, 10 => 2, _ => 0 };
        byte[] data = weight.Data;
        if (size == 0 || count is < 1 or > KeptBytes / 4)
        {
            return null;
        }

        if (weight.Location is not null)
        {
            using FileStream beside = new(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, weight.Location), FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            data = new byte[count * size];
            beside.Seek(weight.Offset, SeekOrigin.Begin);
            beside.ReadExactly(data);
        }

        if (data.Length != count * size)
        {
            return null;
        }

        float[] values = new float[count];
        if (size == 4)
        {
            data.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        else
        {
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(data), values);
        }

        return values;
    }

    /// <summary>Complains when a file that holds weights is missing or too short: a download that was not completed.</summary>
    public void CheckData()
    {
        foreach (IGrouping<string, OnnxWeight> file in _weights.Values.Where(weight => weight.Location is not null).GroupBy(weight => weight.Location!))
        {
            if (file.Key is "" or "." or ".." || file.Key.AsSpan().IndexOfAny("/\\:\0") >= 0)
            {
                throw new InvalidDataException($"'{Path}' keeps weights in '{file.Key}'. Expected: a file of the same folder, without a path; do not use this download.");
            }

            FileInfo info = new(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, file.Key));
            long needed = file.Max(weight => weight.Offset + weight.Length);
            if (!info.Exists || info.Length < needed)
            {
                throw new InvalidDataException($"'{info.FullName}' {(info.Exists ? $"has {info.Length:N0} bytes" : "is not there")}. Expected: the weights of {System.IO.Path.GetFileName(Path)}, at least {needed:N0} bytes; the download is not complete, repeat it.");
            }
        }
    }

    private void ReadModel(ReadOnlySpan<byte> model)
    {
        for (Fields fields = new(model); fields.Next(this);)
        {
            if (fields.Number == 7)
            {
                ReadGraph(fields.Bytes);
            }
        }
    }

    private void ReadGraph(ReadOnlySpan<byte> graph)
    {
        for (Fields fields = new(graph); fields.Next(this);)
        {
            switch (fields.Number)
            {
                case 1:
                    ReadNode(fields.Bytes);
                    break;
                case 5:
                    ReadWeight(fields.Bytes);
                    break;
                case 12:
                    ReadOutput(fields.Bytes);
                    break;
            }
        }
    }

    private void ReadNode(ReadOnlySpan<byte> node)
    {
        List<string> inputs = [], outputs = [];
        string name = "";
        for (Fields fields = new(node); fields.Next(this);)
        {
            switch (fields.Number)
            {
                case 1:
                    inputs.Add(Text(fields.Bytes));
                    break;
                case 2:
                    outputs.Add(Text(fields.Bytes));
                    break;
                case 4:
                    name = Text(fields.Bytes);
                    break;
            }
        }

        foreach (string output in outputs)
        {
            _producers[output] = new OnnxNode(name, [.. inputs]);
        }
    }

    private void ReadWeight(ReadOnlySpan<byte> tensor)
    {
        List<long> shape = [];
        Dictionary<string, string> external = [];
        (int type, string name, byte[] data) = (0, "", []);
        for (Fields fields = new(tensor); fields.Next(this);)
        {
            switch (fields.Number)
            {
                case 1 when fields.Bytes.IsEmpty:
                    shape.Add(fields.Value);
                    break;
                case 1:
                    for (Fields packed = new(fields.Bytes); packed.NextPacked(this);)
                    {
                        shape.Add(packed.Value);
                    }

                    break;
                case 2:
                    type = (int)fields.Value;
                    break;
                case 4 or 9 when fields.Bytes.Length <= KeptBytes:
                    data = fields.Bytes.ToArray();
                    break;
                case 8:
                    name = Text(fields.Bytes);
                    break;
                case 13:
                    (string key, string value) = ReadEntry(fields.Bytes);
                    external[key] = value;
                    break;
            }
        }

        _weights[name] = new OnnxWeight(type, [.. shape], data, external.GetValueOrDefault("location"), Number(external, "offset"), Number(external, "length"));
    }

    private void ReadOutput(ReadOnlySpan<byte> info)
    {
        (string name, int rank) = ("", 0);
        for (Fields fields = new(info); fields.Next(this);)
        {
            if (fields.Number == 1)
            {
                name = Text(fields.Bytes);
            }
            else if (fields.Number == 2)
            {
                // ValueInfo.type → TypeProto.tensor_type → Tensor.shape → one dim each.
                rank = Within(Within(fields.Bytes, 1), 2) is { IsEmpty: false } dimensions ? Count(dimensions) : 0;
            }
        }

        _outputs.Add((name, rank));
    }

    private ReadOnlySpan<byte> Within(ReadOnlySpan<byte> message, int number)
    {
        for (Fields fields = new(message); fields.Next(this);)
        {
            if (fields.Number == number && !fields.Bytes.IsEmpty)
            {
                return fields.Bytes;
            }
        }

        return [];
    }

    private int Count(ReadOnlySpan<byte> shape)
    {
        int count = 0;
        for (Fields fields = new(shape); fields.Next(this);)
        {
            count++;
        }

        return count;
    }

    private (string Key, string Value) ReadEntry(ReadOnlySpan<byte> entry)
    {
        (string key, string value) = ("", "");
        for (Fields fields = new(entry); fields.Next(this);)
        {
            (key, value) = fields.Number == 1 ? (Text(fields.Bytes), value) : (key, Text(fields.Bytes));
        }

        return (key, value);
    }

    private long Number(Dictionary<string, string> external, string key)
        => !external.TryGetValue(key, out string? text) ? 0
        : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number) && number < 1L << 48 ? number
        : throw Broken($"gives a weight the {key} '{text}'");

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private InvalidDataException Broken(string found) => new($"'{Path}' {found}. Expected: a complete ONNX file; download it again.");

    /// <summary>Walks over the fields of one message.</summary>
    private ref struct Fields(ReadOnlySpan<byte> message)
    {
        private ReadOnlySpan<byte> _rest = message;

        public int Number { get; private set; }

        public long Value { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public bool Next(OnnxFile file)
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            ulong tag = Varint(file);
            (Number, Value) = ((int)(tag >> 3), 0);
            Bytes = default;
            switch (tag & 7)
            {
                case 0:
                    Value = (long)Varint(file);
                    return true;
                case 1:
                    Bytes = Take(8, file);
                    return true;
                case 2:
                    Bytes = Take(Varint(file), file);
                    return true;
                case 5:
                    Value = BinaryPrimitives.ReadInt32LittleEndian(Take(4, file));
                    return true;
                default:
                    throw file.Broken("is not a protocol buffer");
            }
        }

        public bool NextPacked(OnnxFile file)
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            Value = (long)Varint(file);
            return true;
        }

        private ReadOnlySpan<byte> Take(ulong length, OnnxFile file)
        {
            if (length > (ulong)_rest.Length)
            {
                throw file.Broken("ends within a field");
            }

            ReadOnlySpan<byte> taken = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return taken;
        }

        private ulong Varint(OnnxFile file)
        {
            ulong value = 0;
            for (int i = 0; i < 10 && i < _rest.Length; i++)
            {
                value |= (ulong)(_rest[i] & 0x7F) << (7 * i);
                if (_rest[i] < 0x80)
                {
                    _rest = _rest[(i + 1)..];
                    return value;
                }
            }

            throw file.Broken("ends within a number");
        }
    }
}
