using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SkMmBert;

/// <summary>Runs the layers of a model on ONNX Runtime: one session for each stretch of layers between two exits.</summary>
/// <remarks>
/// <para>Hidden states stay in the runtime's memory between stretches, so an exit can go on without a copy.</para>
/// <para>Thread-safe: a run keeps all its state to itself.</para>
/// </remarks>
internal sealed class EncoderSession : IDisposable
{
    // From this many tokens on a run may use several threads and gives its memory back.
    private const int LongTokens = 1_024;
    private readonly GraphFolder _graphs;
    private readonly EncoderConfig _config;
    private readonly TokenEmbedding _embedding;
    private readonly RopeTable? _globalRope, _localRope;
    private readonly int[] _stops;
    private readonly int? _threads;
    private readonly Dictionary<(int From, int To, int Threads), InferenceSession> _sessions = [];
    private readonly Lock _opening = new();
    private int _running;
    private bool _disposed;

    /// <param name="graphs">Where the graph of each stretch is found.</param>
    /// <param name="config">The model.</param>
    /// <param name="embedding">Hidden state 0.</param>
    /// <param name="stops">Layers after which a stretch ends, ascending, the last layer included.</param>
    /// <param name="threads">Threads of one run; null for one, and all processors for a long text that runs alone.</param>
    public EncoderSession(GraphFolder graphs, EncoderConfig config, TokenEmbedding embedding, int[] stops, int? threads)
    {
        (_graphs, _config, _embedding, _stops, _threads) = (graphs, config, embedding, stops, threads);
        if (config.GlobalRope is RotaryConfig global && config.LocalRope is RotaryConfig local)
        {
            _globalRope = new RopeTable(global.InverseFrequencies, global.AttentionScaling);
            _localRope = new RopeTable(local.InverseFrequencies, local.AttentionScaling);
        }
    }

    /// <summary>Turns a graph into the form that is mapped: its weights packed for this processor's kernels, once.</summary>
    /// <param name="graph">The graph as written.</param>
    /// <param name="prepared">The file to write; its data goes beside it, under the same name with <c>.data</c>.</param>
    public static void Prepare(string graph, string prepared)
    {
        using SessionOptions options = Options(threads: 1);
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC;   // the graphs are fused already; more would fuse Add and norm into a slower kernel
        options.OptimizedModelFilePath = prepared;
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", Path.GetFileName(prepared) + ".data");
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
        using InferenceSession session = new(graph, options);
    }

    /// <summary>What the prepared form depends on besides the graph: the runtime's version and the processor's instructions.</summary>
    public static string Target => $"{OrtEnv.Instance().GetVersionString()} {RuntimeInformation.ProcessArchitecture} {Vector512.IsHardwareAccelerated} {Avx2.IsSupported} {AvxVnni.IsSupported} {Instructions()}";

    /// <summary>Runs a batch from its token ids to an exit.</summary>
    public LayerState Run(TokenBatch batch, int exit, CancellationToken cancellationToken)
    {
        OrtValue hidden = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, batch.Ids.Length, _config.HiddenSize]);
        try
        {
            _embedding.Write(batch, hidden.GetTensorMutableDataAsSpan<float>());
        }
        catch
        {
            hidden.Dispose();
            throw;
        }

        return Forward(hidden, batch.Lengths, 0, exit, ownsInput: true, cancellationToken);
    }

    /// <summary>Carries a state on to a later exit; the given state stays valid.</summary>
    public LayerState Continue(LayerState state, int exit, CancellationToken cancellationToken)
    {
        State from = (State)state;
        ArgumentOutOfRangeException.ThrowIfLessThan(exit, from.Exit);
        return Forward(from.Value, from.Lengths, from.Exit, exit, ownsInput: false, cancellationToken);
    }

    /// <summary>A state of some of the texts only, copied.</summary>
    public LayerState Select(LayerState state, ReadOnlySpan<int> rows)
    {
        int width = _config.HiddenSize;
        int[] starts = new int[state.Lengths.Length + 1], lengths = new int[rows.Length];
        for (int i = 0; i < state.Lengths.Length; i++)
        {
            starts[i + 1] = starts[i] + state.Lengths[i];
        }

        for (int i = 0; i < rows.Length; i++)
        {
            lengths[i] = state.Lengths[rows[i]];
        }

        OrtValue hidden = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, lengths.Sum(), width]);
        Span<float> to = hidden.GetTensorMutableDataAsSpan<float>();
        int at = 0;
        foreach (int row in rows)
        {
            ReadOnlySpan<float> source = state.Hidden[(starts[row] * width)..(starts[row + 1] * width)];
            source.CopyTo(to[at..]);
            at += source.Length;
        }

        return new State(hidden, lengths, state.Exit);
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            foreach (InferenceSession session in _sessions.Values)
            {
                session.Dispose();
            }

            _sessions.Clear();
        }
    }

    private State Forward(OrtValue input, int[] lengths, int from, int exit, bool ownsInput, CancellationToken cancellationToken)
    {
        OrtValue current = input;
        bool owned = ownsInput;
        Interlocked.Increment(ref _running);
        try
        {
            if (exit > from)
            {
                using RunInputs inputs = new(this, lengths);
                using RunOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
                int tokens = lengths.Sum(), threads = _threads ?? (tokens >= LongTokens && _running == 1 ? Environment.ProcessorCount : 1);
                if (tokens >= LongTokens)
                {
                    options.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");   // a long text's memory goes back after each stretch
                }

                using CancellationTokenRegistration registration = cancellationToken.Register(() => options.Terminate = true);
                while (from < exit)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    int to = NextStop(from, exit);
                    OrtValue next = RunStretch(Session(from, to, threads), current, inputs, options, cancellationToken);
                    if (owned)
                    {
                        current.Dispose();
                    }

                    (current, owned, from) = (next, true, to);
                }
            }
            else if (!owned)
            {
                current = Copy(current);
            }

            return new State(current, lengths, exit);
        }
        catch when (owned)
        {
            current.Dispose();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private static OrtValue RunStretch(InferenceSession session, OrtValue hidden, RunInputs inputs, RunOptions options, CancellationToken cancellationToken)
    {
        try
        {
            // The collection is not disposed: its one value is handed on.
            return session.Run(options, inputs.Names, inputs.With(hidden), session.OutputNames)[0];
        }
        catch (OnnxRuntimeException error) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The run was cancelled.", error, cancellationToken);
        }
    }

    private int NextStop(int from, int exit) => Math.Min(exit, _stops.First(stop => stop > from));

    private InferenceSession Session(int from, int to, int threads)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(MmBertModel));
            if (!_sessions.TryGetValue((from, to, threads), out InferenceSession? session))
            {
                using SessionOptions options = Options(threads);
                options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;   // done when the file was written
                session = new InferenceSession(_graphs.Stretch(from, to, Prepare), options);
                _sessions.Add((from, to, threads), session);
            }

            return session;
        }
    }

    // AVX512-VNNI and AMX have no IsSupported of their own: leaf 7 of CPUID.
    private static string Instructions()
    {
        if (!X86Base.IsSupported)
        {
            return "";
        }

        (int _, int b, int c, int d) = X86Base.CpuId(7, 0);
        return $"{b:x}{c:x}{d:x}";
    }

    private static SessionOptions Options(int threads)
    {
        SessionOptions options = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            EnableMemoryPattern = false,                                    // a pattern is kept per distinct shape, and every text has its own
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,     // errors come as exceptions; the runtime's own guesses at shapes are not news
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.save_external_prepacked_constant_initializers", "1");
        return options;
    }

    private static OrtValue Copy(OrtValue value)
    {
        OrtValue copy = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, value.GetTensorTypeAndShape().Shape);
        value.GetTensorDataAsSpan<float>().CopyTo(copy.GetTensorMutableDataAsSpan<float>());
        return copy;
    }

    /// <summary>Hidden states in the runtime's memory.</summary>
    private sealed class State(OrtValue value, int[] lengths, int exit) : LayerState
    {
        public OrtValue Value { get; } = value;

        public override int Exit { get; } = exit;

        public override int[] Lengths { get; } = lengths;

        public override ReadOnlySpan<float> Hidden => Value.GetTensorDataAsSpan<float>();

        public override void Dispose() => Value.Dispose();
    }

    /// <summary>The inputs of every stretch of one run besides the hidden states.</summary>
    private sealed class RunInputs : IDisposable
    {
        private readonly List<string> _names = ["hidden"];
        private readonly List<OrtValue> _values = [null!];

        public RunInputs(EncoderSession session, int[] lengths)
        {
            EncoderConfig config = session._config;
            bool windowed = session._globalRope is not null;
            BatchShape shape = new(lengths, config.HiddenSize, windowed ? config.LocalAttention / 2 : 0);
            int rows = lengths.Length;
            Add("is_padded", [shape.IsPadded], []);
            Add("is_flash", [shape.IsFlash], []);
            Add("dense_shape", DenseShape(shape, config), [3]);
            Add("pad_index", shape.PadIndex, shape.IsPadded ? [rows, shape.Longest] : [1, 1]);
            Add("pad_bias", shape.PadBias, shape.IsPadded ? [rows, 1, shape.Longest, shape.Longest] : [1, 1, 1, 1]);
            Add("unpad_index", shape.UnpadIndex, [shape.UnpadIndex.Length]);
            if (windowed)
            {
                int slices = shape.Slices, blocks = shape.BlocksPerSlice, queries = shape.BlockQueries.Length / slices / blocks, keys = shape.BlockKeys.Length / slices / blocks;
                Add("is_blocks", [shape.IsBlocks], []);
                Add("block_queries", shape.BlockQueries, [slices, blocks, queries]);
                Add("block_keys", shape.BlockKeys, [slices, blocks, keys]);
                Add("block_bias", shape.BlockBias, [slices, blocks, 1, queries, keys]);
                Add("unblock_index", shape.UnblockIndex, [shape.UnblockIndex.Length]);
                AddRope("global", session._globalRope!, lengths, shape.Tokens, config.HeadSize / 2);
                AddRope("local", session._localRope!, lengths, shape.Tokens, config.HeadSize / 2);
            }
        }

        public IReadOnlyCollection<string> Names => _names;

        public IReadOnlyCollection<OrtValue> With(OrtValue hidden)
        {
            _values[0] = hidden;
            return _values;
        }

        public void Dispose()
        {
            foreach (OrtValue value in _values.Skip(1))
            {
                value.Dispose();
            }
        }

        private static long[] DenseShape(BatchShape shape, EncoderConfig config) => shape.IsPadded ? [1, shape.Tokens, config.HiddenSize] : [shape.Lengths.Length, shape.Longest, config.HiddenSize];

        private void AddRope(string name, RopeTable table, int[] lengths, int tokens, int half)
        {
            float[] cos = new float[tokens * half], sin = new float[tokens * half];
            table.Write(lengths, cos, sin);
            Add(name + "_cos", cos, [tokens, half]);
            Add(name + "_sin", sin, [tokens, half]);
        }

        private void Add<T>(string name, T[] data, long[] shape)
            where T : unmanaged
        {
            _names.Add(name);
            _values.Add(OrtValue.CreateTensorValueFromMemory(data, shape));
        }
    }
}
