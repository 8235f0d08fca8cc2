using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert;

/// <summary><see cref="AttentionKernel"/> as an operator that graphs can name, through the C interface of ONNX Runtime; threads are those of the run.</summary>
/// <remarks>
/// Inputs are those of <see cref="AttentionGraph.Own"/>: queries, keys and values [N, H], the texts (their number, then the first token of each and the end), and optionally cosines and sines
/// [positions, D/2] and a factor of each token [N]. The number of texts is made negative to stop a run that is under way. The interface only ever grows: a function keeps its place in the table.
/// </remarks>
internal static unsafe partial class AttentionOperator
{
    private const uint InterfaceVersion = 17;   // the first with a parallel loop for operators
    private const int Float = 1, Int64 = 7, Required = 0, Optional = 1, Failed = 1;
    private static readonly byte* NameText = Text(AttentionGraph.OwnOperator), HeadsText = Text("num_heads"), SizeText = Text("head_size"), WindowText = Text("half_window"), CoarseText = Text("is_coarse");
    private static readonly void** Runtime = Find();
    private static readonly nint Registered = Register();   // never freed: sessions may outlive any owner

    // Places of functions in the table of the runtime (struct OrtApi of onnxruntime_c_api.h).
    private enum Place
    {
        CreateStatus = 0,
        CreateDomain = 26,
        AddOperator = 27,
        AddDomain = 28,
        TensorData = 51,
        Attribute = 86,
        InputCount = 88,
        Input = 90,
        Output = 91,
        ParallelFor = 274,
    }

    /// <summary>Whether the processor and the runtime can run it; elsewhere graphs use the runtime's own operators.</summary>
    public static bool IsAvailable => AttentionKernel.IsSupported && Environment.Is64BitProcess && Registered != 0;

    /// <summary>Makes the operator known to the sessions of some options (a handle of OrtSessionOptions), where it can run.</summary>
    public static void AddTo(nint sessionOptions)
    {
        if (IsAvailable && ((delegate* unmanaged<nint, nint, nint>)Runtime[(int)Place.AddDomain])(sessionOptions, Registered) != 0)
        {
            throw new InvalidOperationException("ONNX Runtime refused the attention operator. Expected: one copy of the native library in a process; remove the second one from the application's folder.");
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

        Definition* definition = (Definition*)NativeMemory.AllocZeroed((nuint)sizeof(Definition));
        *definition = new Definition
        {
            Version = InterfaceVersion,
            Name = &NameOf,
            Provider = &Nothing,
            InputType = &InputType,
            InputCount = &Seven,
            OutputType = &OutputType,
            OutputCount = &One,
            InputKind = &InputKind,
            OutputKind = &Zero,
            InputMemory = &Zero,
            InputArity = &OneInt,
            InputHomogeneity = &OneInt,
            OutputArity = &OneInt,
            OutputHomogeneity = &OneInt,
            Create = &Create,
            Compute = &Compute,
            Destroy = &Destroy,
            FirstVersion = &OneInt,
            LastVersion = &Last,
        };
        return ((delegate* unmanaged<nint, Definition*, nint>)Runtime[(int)Place.AddOperator])(domain, definition) == 0 ? domain : 0;
    }

    private static byte* Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte* copy = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }

    [UnmanagedCallersOnly]
    private static byte* NameOf(Definition* definition) => NameText;

    [UnmanagedCallersOnly]
    private static byte* Nothing(Definition* definition) => null;   // the processor's provider

    [UnmanagedCallersOnly]
    private static int InputType(Definition* definition, nuint index) => index == 3 ? Int64 : Float;

    [UnmanagedCallersOnly]
    private static int OutputType(Definition* definition, nuint index) => Float;

    [UnmanagedCallersOnly]
    private static nuint Seven(Definition* definition) => 7;

    [UnmanagedCallersOnly]
    private static nuint One(Definition* definition) => 1;

    [UnmanagedCallersOnly]
    private static int InputKind(Definition* definition, nuint index) => index >= 4 ? Optional : Required;

    [UnmanagedCallersOnly]
    private static int Zero(Definition* definition, nuint index) => 0;

    [UnmanagedCallersOnly]
    private static int OneInt(Definition* definition) => 1;

    [UnmanagedCallersOnly]
    private static int Last(Definition* definition) => int.MaxValue;

    [UnmanagedCallersOnly]
    private static nint Create(Definition* definition, void** api, nint info, void** kernel)
    {
        Attributes* attributes = (Attributes*)NativeMemory.Alloc((nuint)sizeof(Attributes));
        delegate* unmanaged<nint, byte*, long*, nint> read = (delegate* unmanaged<nint, byte*, long*, nint>)Runtime[(int)Place.Attribute];
        nint error = read(info, HeadsText, &attributes->Heads);
        error = error == 0 ? read(info, SizeText, &attributes->HeadSize) : error;
        error = error == 0 ? read(info, WindowText, &attributes->HalfWindow) : error;
        error = error == 0 ? read(info, CoarseText, &attributes->IsCoarse) : error;
        *kernel = attributes;
        return error;
    }

    [UnmanagedCallersOnly]
    private static void Destroy(void* kernel) => NativeMemory.Free(kernel);

    [UnmanagedCallersOnly]
    private static nint Compute(Attributes* attributes, nint context)
    {
        try
        {
            Run(*attributes, context);
            return 0;
        }
        catch (Exception error)
        {
            fixed (byte* text = Encoding.UTF8.GetBytes(error.Message + '\0'))
            {
                return ((delegate* unmanaged<int, byte*, nint>)Runtime[(int)Place.CreateStatus])(Failed, text);
            }
        }
    }

    private static void Run(Attributes attributes, nint context)
    {
        long* texts = (long*)Input(context, 3);
        int count = (int)texts[0], hidden = (int)(attributes.Heads * attributes.HeadSize);
        long* starts = texts + 1;
        long* shape = stackalloc long[] { 1, starts[count], hidden };
        nint output = 0;
        Check(((delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint>)Runtime[(int)Place.Output])(context, 0, shape, 3, &output));
        List<Stretch> stretches = [];
        for (int text = 0; text < count; text++)
        {
            int length = (int)(starts[text + 1] - starts[text]), step = attributes.HalfWindow == 0 ? length : AttentionKernel.WindowStretch;
            for (int from = 0; from < length; from += step)
            {
                stretches.Add(new Stretch((int)starts[text], length, from, Math.Min(length, from + step)));
            }
        }

        fixed (Stretch* first = CollectionsMarshal.AsSpan(stretches))
        {
            Work work = new()
            {
                Layer = new(Input(context, 0), Input(context, 1), Input(context, 2), Input(context, 6), Input(context, 4), Input(context, 5), Data(output), hidden, (int)attributes.HeadSize, (int)attributes.HalfWindow, attributes.IsCoarse != 0 && AttentionKernel.MayBeCoarse((int)attributes.HeadSize), (nint)texts),
                Stretches = first,
                Heads = (int)attributes.Heads,
            };
            Check(((delegate* unmanaged<nint, delegate* unmanaged<Work*, nuint, void>, nuint, nuint, Work*, nint>)Runtime[(int)Place.ParallelFor])(context, &Part, (nuint)(stretches.Count * attributes.Heads), 0, &work));
            if (Volatile.Read(ref *texts) < 0)
            {
                throw new OperationCanceledException("The run was cancelled.");
            }

            if (work.HasFailed != 0)
            {
                throw new OutOfMemoryException($"There is no memory for the attention over {starts[count]} tokens. Expected: {hidden * 8L * starts[count] / attributes.Heads / 1_000_000:N0} MB a thread; use shorter texts or fewer threads.");
            }
        }
    }

    // One head of one stretch; nothing may be thrown through the runtime.
    [UnmanagedCallersOnly]
    private static void Part(Work* work, nuint index)
    {
        try
        {
            Stretch stretch = work->Stretches[(int)index / work->Heads];
            AttentionKernel.Layer layer = work->Layer with { IsCoarse = work->Layer.IsCoarse && stretch.Length >= AttentionKernel.CoarseLength };
            AttentionKernel.Run(layer, stretch.Start, stretch.Length, (int)index % work->Heads, stretch.From, stretch.To);
        }
        catch (OutOfMemoryException)
        {
            work->HasFailed = 1;
        }
    }

    // The data of an input, 0 for one that is not there.
    private static nint Input(nint context, nuint index)
    {
        nuint count = 0;
        Check(((delegate* unmanaged<nint, nuint*, nint>)Runtime[(int)Place.InputCount])(context, &count));
        nint value = 0;
        if (index < count)
        {
            Check(((delegate* unmanaged<nint, nuint, nint*, nint>)Runtime[(int)Place.Input])(context, index, &value));
        }

        return value == 0 ? 0 : Data(value);
    }

    private static nint Data(nint value)
    {
        nint data = 0;
        Check(((delegate* unmanaged<nint, nint*, nint>)Runtime[(int)Place.TensorData])(value, &data));
        return data;
    }

    private static void Check(nint status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException("ONNX Runtime refused a tensor of the attention operator. Expected: a graph written by this version; delete the cache folder of the model.");
        }
    }

    private struct Attributes
    {
        public long Heads, HeadSize, HalfWindow, IsCoarse;
    }

    private readonly record struct Stretch(int Start, int Length, int From, int To);

    private struct Work
    {
        public AttentionKernel.Layer Layer;
        public Stretch* Stretches;
        public int Heads, HasFailed;
    }

    // struct OrtCustomOp of onnxruntime_c_api.h: 26 pointers, those that are left out are null.
    [StructLayout(LayoutKind.Explicit, Size = 26 * 8)]
    private struct Definition
    {
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
        public delegate* unmanaged<Attributes*, nint, nint> Compute;

        [FieldOffset(20 * 8)]
        public delegate* unmanaged<Definition*, int> FirstVersion;

        [FieldOffset(21 * 8)]
        public delegate* unmanaged<Definition*, int> LastVersion;
    }
}
