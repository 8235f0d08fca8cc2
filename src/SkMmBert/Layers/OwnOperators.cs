using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert;

/// <summary>Operators of our own that graphs can name, made known to ONNX Runtime through its C interface.</summary>
/// <remarks>The interface only ever grows: a function keeps its place in the table. Where the interface or the processor's instructions are missing, graphs use the runtime's operators.</remarks>
internal static unsafe partial class OwnOperators
{
    private const uint InterfaceVersion = 17;   // the first with a parallel loop for operators
    private const int Float = 1, Byte = 2, Int64 = 7, Required = 0, Optional = 1;

    /// <summary>The function table of the runtime; null where there is none.</summary>
    internal static readonly void** Runtime = Find();

    private static readonly nint Registered = Register();   // never freed: sessions may outlive any owner
    private static readonly Lock FirstSession = new();
    private static volatile bool _areKnown;

    // Places of functions in the table of the runtime (struct OrtApi of onnxruntime_c_api.h).
    internal enum Place
    {
        CreateStatus = 0,
        CreateDomain = 26,
        AddOperator = 27,
        AddDomain = 28,
        TensorData = 51,
        Attribute = 86,
        InputCount = 88,
        OutputCount = 89,
        Input = 90,
        Output = 91,
        ParallelFor = 274,
    }

    /// <summary>Whether the processor and the runtime can run them.</summary>
    public static bool IsAvailable => AttentionKernel.IsSupported && Environment.Is64BitProcess && Registered != 0;

    /// <summary>Makes the operators known to the sessions of some options (a handle of OrtSessionOptions), where they can run.</summary>
    public static void AddTo(nint sessionOptions)
    {
        if (IsAvailable && ((delegate* unmanaged<nint, nint, nint>)Runtime[(int)Place.AddDomain])(sessionOptions, Registered) != 0)
        {
            throw new InvalidOperationException("ONNX Runtime refused SkMmBert's operators. Expected: one copy of the native library in a process; remove the second one from the application's folder.");
        }
    }

    /// <summary>Opens a session. Until one is open they come one after the other, since the runtime's list of domains takes a new one from a single thread only; later from any.</summary>
    public static T Open<T>(Func<T> open)
    {
        if (_areKnown)
        {
            return open();
        }

        lock (FirstSession)
        {
            T session = open();
            _areKnown = true;
            return session;
        }
    }

    [LibraryImport("onnxruntime")]
    private static partial void** OrtGetApiBase();

    private static void** Find()
    {
        try
        {
            return (void**)((delegate* unmanaged<uint, nint>)OrtGetApiBase()[0])(InterfaceVersion);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return null;
        }
    }

    private static nint Register()
    {
        nint domain = 0;
        if (Runtime is null || ((delegate* unmanaged<byte*, nint*, nint>)Runtime[(int)Place.CreateDomain])(Text(OnnxWriter.Own), &domain) != 0)
        {
            return 0;
        }

        bool done = Add(domain, OwnNodes.Attention, inputs: 7, required: 4, outputs: 1, bytes: false, &AttentionOperator.Compute, "num_heads", "head_size", "half_window", "is_coarse")
            && Add(domain, OwnNodes.Round, inputs: 5, required: 2, outputs: 3, bytes: true, &RoundingOperators.Round, "width", "epsilon_bits")
            && Add(domain, OwnNodes.Gate, inputs: 4, required: 4, outputs: 2, bytes: true, &RoundingOperators.Gate, "width");
        return done ? domain : 0;
    }

    private static bool Add(nint domain, string name, int inputs, int required, int outputs, bool bytes, delegate* unmanaged<long*, nint, nint> compute, params ReadOnlySpan<string> attributes)
    {
        Definition* definition = (Definition*)NativeMemory.AllocZeroed((nuint)sizeof(Definition));
        *definition = new Definition
        {
            Version = InterfaceVersion,
            Name = &NameOf,
            Provider = &Nothing,
            InputType = &InputType,
            InputCount = &InputCount,
            OutputType = &OutputType,
            OutputCount = &OutputCount,
            InputKind = &InputKind,
            OutputKind = &OutputKind,
            InputMemory = &Zero,
            InputArity = &One,
            InputHomogeneity = &One,
            OutputArity = &One,
            OutputHomogeneity = &One,
            Create = &Create,
            Compute = compute,
            Destroy = &Destroy,
            FirstVersion = &One,
            LastVersion = &Last,
            OwnName = Text(name),
            Inputs = inputs,
            RequiredInputs = required,
            Outputs = outputs,
            FirstIsBytes = bytes ? 1 : 0,
        };
        for (int i = 0; i < attributes.Length; i++)
        {
            definition->Attributes[i] = (nint)Text(attributes[i]);
        }

        return ((delegate* unmanaged<nint, Definition*, nint>)Runtime[(int)Place.AddOperator])(domain, definition) == 0;
    }

    private static byte* Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte* copy = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }

    [UnmanagedCallersOnly]
    private static byte* NameOf(Definition* definition) => definition->OwnName;

    [UnmanagedCallersOnly]
    private static byte* Nothing(Definition* definition) => null;   // the processor's provider

    // The texts come as the last input that must be there.
    [UnmanagedCallersOnly]
    private static int InputType(Definition* definition, nuint index) => (int)index == definition->RequiredInputs - 1 ? Int64 : Float;

    [UnmanagedCallersOnly]
    private static nuint InputCount(Definition* definition) => (nuint)definition->Inputs;

    [UnmanagedCallersOnly]
    private static int InputKind(Definition* definition, nuint index) => (int)index < definition->RequiredInputs ? Required : Optional;

    [UnmanagedCallersOnly]
    private static int OutputType(Definition* definition, nuint index) => index == 0 && definition->FirstIsBytes == 1 ? Byte : Float;

    [UnmanagedCallersOnly]
    private static nuint OutputCount(Definition* definition) => (nuint)definition->Outputs;

    [UnmanagedCallersOnly]
    private static int OutputKind(Definition* definition, nuint index) => index < 2 ? Required : Optional;

    [UnmanagedCallersOnly]
    private static int Zero(Definition* definition, nuint index) => 0;

    [UnmanagedCallersOnly]
    private static int One(Definition* definition) => 1;

    [UnmanagedCallersOnly]
    private static int Last(Definition* definition) => int.MaxValue;

    // A kernel is the values of the attributes.
    [UnmanagedCallersOnly]
    private static nint Create(Definition* definition, void** api, nint info, void** kernel)
    {
        long* values = (long*)NativeMemory.AllocZeroed(Definition.MostAttributes, sizeof(long));
        *kernel = values;
        nint error = 0;
        for (int i = 0; error == 0 && i < Definition.MostAttributes && definition->Attributes[i] != 0; i++)
        {
            error = ((delegate* unmanaged<nint, byte*, long*, nint>)Runtime[(int)Place.Attribute])(info, (byte*)definition->Attributes[i], values + i);
        }

        return error;
    }

    [UnmanagedCallersOnly]
    private static void Destroy(void* kernel) => NativeMemory.Free(kernel);

    // struct OrtCustomOp of onnxruntime_c_api.h (26 pointers, those that are left out are null), and what its functions answer.
    [StructLayout(LayoutKind.Explicit)]
    private struct Definition
    {
        public const int MostAttributes = 4;

        [FieldOffset(0 * 8)]
        public uint Version;

        [FieldOffset(2 * 8)]
        public delegate* unmanaged<Definition*, byte*> Name;

        [FieldOffset(3 * 8)]
        public delegate* unmanaged<Definition*, byte*> Provider;

        [FieldOffset(4 * 8)]
        public delegate* unmanaged<Definition*, nuint, int> InputType;

        [FieldOffset(5 * 8)]
        public delegate* unmanaged<Definition*, nuint> InputCount;

        [FieldOffset(6 * 8)]
        public delegate* unmanaged<Definition*, nuint, int> OutputType;

        [FieldOffset(7 * 8)]
        public delegate* unmanaged<Definition*, nuint> OutputCount;

        [FieldOffset(9 * 8)]
        public delegate* unmanaged<void*, void> Destroy;

        [FieldOffset(10 * 8)]
        public delegate* unmanaged<Definition*, nuint, int> InputKind;

        [FieldOffset(11 * 8)]
        public delegate* unmanaged<Definition*, nuint, int> OutputKind;

        [FieldOffset(12 * 8)]
        public delegate* unmanaged<Definition*, nuint, int> InputMemory;

        [FieldOffset(13 * 8)]
        public delegate* unmanaged<Definition*, int> InputArity;

        [FieldOffset(14 * 8)]
        public delegate* unmanaged<Definition*, int> InputHomogeneity;

        [FieldOffset(15 * 8)]
        public delegate* unmanaged<Definition*, int> OutputArity;

        [FieldOffset(16 * 8)]
        public delegate* unmanaged<Definition*, int> OutputHomogeneity;

        [FieldOffset(17 * 8)]
        public delegate* unmanaged<Definition*, void**, nint, void**, nint> Create;

        [FieldOffset(18 * 8)]
        public delegate* unmanaged<long*, nint, nint> Compute;

        [FieldOffset(20 * 8)]
        public delegate* unmanaged<Definition*, int> FirstVersion;

        [FieldOffset(21 * 8)]
        public delegate* unmanaged<Definition*, int> LastVersion;

        [FieldOffset(26 * 8)]
        public byte* OwnName;

        [FieldOffset(27 * 8)]
        public int Inputs;

        [FieldOffset((27 * 8) + 4)]
        public int RequiredInputs;

        [FieldOffset(28 * 8)]
        public int Outputs;

        [FieldOffset((28 * 8) + 4)]
        public int FirstIsBytes;

        [FieldOffset(29 * 8)]
        public fixed long Attributes[MostAttributes];
    }
}
