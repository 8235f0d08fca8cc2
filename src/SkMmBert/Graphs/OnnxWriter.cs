using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Element types of ONNX tensors, by their number in the format.</summary>
internal enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
}

/// <summary>Where a weight lies in the weights file.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Number of bytes.</param>
internal readonly record struct WeightLocation(OnnxType Type, long[] Shape, long Offset, long Length);

/// <summary>Builds one ONNX graph node by node; a value is known by its name.</summary>
/// <remarks>Field numbers are those of onnx.proto3 (github.com/onnx/onnx).</remarks>
internal sealed class OnnxWriter
{
    private const string Microsoft = "com.microsoft";

    /// <summary>The domain of our own operators.</summary>
    public const string Own = "skmmbert";

    private readonly List<ProtoWriter> _nodes = [];
    private readonly List<ProtoWriter> _initializers = [];
    private readonly List<ProtoWriter> _inputs = [];
    private readonly List<ProtoWriter> _outputs = [];
    private readonly HashSet<string> _constants = [];
    private readonly OnnxWriter? _outer;
    private int _names;
    private bool _nodesOfOurOwn;

    public OnnxWriter()
    {
    }

    private OnnxWriter(OnnxWriter outer) => _outer = outer;

    /// <summary>Adds a graph input; a null dimension is free, a null shape says nothing.</summary>
    public string Input(string name, OnnxType type, params long?[]? shape)
    {
        _inputs.Add(ValueInfo(name, type, shape));
        return name;
    }

    /// <summary>Makes a value an output of the graph.</summary>
    public void Output(string name, OnnxType type, params long?[] shape) => _outputs.Add(ValueInfo(name, type, shape));

    /// <summary>A weight that stays in the weights file.</summary>
    public string Weight(string name, WeightLocation at, string fileName)
    {
        if (_constants.Add(name))
        {
            ProtoWriter tensor = Tensor(name, at.Type, at.Shape);
            External(tensor, "location", fileName);
            External(tensor, "offset", at.Offset.ToString(System.Globalization.CultureInfo.InvariantCulture));
            External(tensor, "length", at.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
            tensor.Int64(14, 1);
            _initializers.Add(tensor);
        }

        return name;
    }

    /// <summary>A small constant written into the graph.</summary>
    public string Constant(string name, long[] shape, params ReadOnlySpan<long> values) => Constant(name, OnnxType.Int64, shape, MemoryMarshal.AsBytes(values));

    /// <inheritdoc cref="Constant(string, long[], ReadOnlySpan{long})"/>
    public string Constant(string name, long[] shape, params ReadOnlySpan<float> values) => Constant(name, OnnxType.Float, shape, MemoryMarshal.AsBytes(values));

    /// <inheritdoc cref="Constant(string, long[], ReadOnlySpan{long})"/>
    public string Constant(string name, long[] shape, byte value) => Constant(name, OnnxType.UInt8, shape, [value]);

    /// <summary>Adds a node of the standard operators and returns its output.</summary>
    public string Node(string op, string[] inputs, params (string Name, object Value)[] attributes) => Add("", op, inputs, attributes);

    /// <summary>Adds a node of ONNX Runtime's own operators and returns its output.</summary>
    public string MicrosoftNode(string op, string[] inputs, params (string Name, object Value)[] attributes) => Add(Microsoft, op, inputs, attributes);

    /// <summary>Adds a node of our own operators and returns its output.</summary>
    public string OwnNode(string op, string[] inputs, params (string Name, object Value)[] attributes) => Add(Own, op, inputs, attributes);

    /// <summary>Adds a choice between two subgraphs that may use every value of this graph.</summary>
    public string If(string condition, Func<OnnxWriter, string> then, Func<OnnxWriter, string> otherwise)
    {
        return Add("", "If", [condition], [("then_branch", Branch(then)), ("else_branch", Branch(otherwise))]);
    }

    /// <summary>Runs a subgraph for each slice of some inputs along their first axis and stacks its outputs.</summary>
    public string Scan(string[] sliced, OnnxType[] types, Func<OnnxWriter, string[], string> body)
    {
        OnnxWriter inner = new(this);
        string[] slices = [.. types.Select(type => inner.Input(NewName("slice"), type, null!))];
        string output = body(inner, slices);
        inner._outputs.Add(ValueInfo(output, OnnxType.Float, null));
        return Add("", "Scan", sliced, [("body", inner.Graph(NewName("body"))), ("num_scan_inputs", sliced.Length)]);
    }

    /// <summary>The finished file.</summary>
    /// <param name="graphName">The graph's name.</param>
    /// <param name="opset">Version of the standard operators.</param>
    public byte[] ToModel(string graphName, long opset = 23)
    {
        ProtoWriter model = new();
        model.Int64(1, 10);
        model.Text(2, "SkMmBert");
        model.Message(7, Graph(graphName));
        model.Message(8, Opset("", opset));
        model.Message(8, Opset(Microsoft, 1));
        if (_nodesOfOurOwn)
        {
            model.Message(8, Opset(Own, 1));
        }

        return model.ToArray();
    }

    private static ProtoWriter Opset(string domain, long version)
    {
        ProtoWriter opset = new();
        opset.Text(1, domain);
        opset.Int64(2, version);
        return opset;
    }

    private static ProtoWriter ValueInfo(string name, OnnxType type, long?[]? shape)
    {
        ProtoWriter dims = new();
        for (int i = 0; i < shape?.Length; i++)
        {
            ProtoWriter dim = new();
            if (shape[i] is long size)
            {
                dim.Int64(1, size);
            }
            else
            {
                dim.Text(2, $"{name}_{i}");
            }

            dims.Message(1, dim);
        }

        ProtoWriter tensor = new(), holder = new(), info = new();
        tensor.Int64(1, (long)type);
        if (shape is not null)
        {
            tensor.Message(2, dims);
        }

        holder.Message(1, tensor);
        info.Text(1, name);
        info.Message(2, holder);
        return info;
    }

    private static ProtoWriter Tensor(string name, OnnxType type, long[] shape)
    {
        ProtoWriter tensor = new();
        foreach (long size in shape)
        {
            tensor.Int64(1, size);
        }

        tensor.Int64(2, (long)type);
        tensor.Text(8, name);
        return tensor;
    }

    private static void External(ProtoWriter tensor, string key, string value)
    {
        ProtoWriter entry = new();
        entry.Text(1, key);
        entry.Text(2, value);
        tensor.Message(13, entry);
    }

    private string Constant(string name, OnnxType type, long[] shape, ReadOnlySpan<byte> bytes)
    {
        if (_constants.Add(name))
        {
            ProtoWriter tensor = Tensor(name, type, shape);
            tensor.Bytes(9, bytes);
            _initializers.Add(tensor);
        }

        return name;
    }

    private string Add(string domain, string op, string[] inputs, (string Name, object Value)[] attributes)
    {
        ProtoWriter node = new();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        _nodesOfOurOwn |= domain == Own;
        string output = NewName(op);
        node.Text(2, output);
        node.Text(3, output);
        node.Text(4, op);
        foreach ((string name, object value) in attributes)
        {
            node.Message(5, Attribute(name, value));
        }

        node.Text(7, domain);
        _nodes.Add(node);
        return output;
    }

    private static ProtoWriter Attribute(string name, object value)
    {
        ProtoWriter attribute = new();
        attribute.Text(1, name);
        switch (value)
        {
            case float number:
                attribute.Float(2, number);
                attribute.Int64(20, 1);
                break;
            case int number:
                attribute.Int64(3, number);
                attribute.Int64(20, 2);
                break;
            case int[] numbers:
                foreach (int number in numbers)
                {
                    attribute.Int64(8, number);
                }

                attribute.Int64(20, 7);
                break;
            case ProtoWriter graph:
                attribute.Message(6, graph);
                attribute.Int64(20, 5);
                break;
            default:
                throw new ArgumentException($"An attribute of type {value.GetType().Name} cannot be written.", nameof(value));
        }

        return attribute;
    }

    private ProtoWriter Branch(Func<OnnxWriter, string> build)
    {
        OnnxWriter inner = new(this);
        string output = build(inner);
        inner._outputs.Add(ValueInfo(output, OnnxType.Float, null));
        return inner.Graph(NewName("branch"));
    }

    // Names are unique over a graph and its branches, since branches see the outer names.
    internal string NewName(string op) => _outer is null ? $"{op}_{++_names}" : _outer.NewName(op);

    private ProtoWriter Graph(string name)
    {
        ProtoWriter graph = new();
        foreach (ProtoWriter node in _nodes)
        {
            graph.Message(1, node);
        }

        graph.Text(2, name);
        foreach (ProtoWriter tensor in _initializers)
        {
            graph.Message(5, tensor);
        }

        foreach (ProtoWriter input in _inputs)
        {
            graph.Message(11, input);
        }

        foreach (ProtoWriter output in _outputs)
        {
            graph.Message(12, output);
        }

        return graph;
    }
}
