using System.Collections.Concurrent;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SkMmBert;

/// <summary>Runs the layers of a model on ONNX Runtime: one session for each stretch of layers between two exits.</summary>
/// <remarks>
/// <para>Hidden states stay in the runtime's memory between stretches, so an exit can go on without a copy.</para>
/// <para>Thread-safe: a run keeps all its state to itself.</para>
/// </remarks>
internal sealed class EncoderSession : LayerRunner
{
    private readonly GraphFolder _graphs;
    private readonly EncoderConfig _config;
    private readonly TokenEmbedding _embedding;
    private readonly RopeTable? _globalRope, _localRope;
    private readonly int[] _stops;
    private readonly ModelDevice _device;
    private readonly IDisposable _weights;
    private readonly ConcurrentDictionary<(int From, int To, int Threads), InferenceSession> _sessions = [];
    private readonly Lock _opening = new();

    /// <param name="graphs">Where the graph of each stretch is found.</param>
    /// <param name="config">The model.</param>
    /// <param name="embedding">Hidden state 0.</param>
    /// <param name="stops">Layers after which a stretch ends, ascending, the last layer included.</param>
    /// <param name="threads">Threads of one run; null for one, and all processors for a long text that runs alone.</param>
    /// <param name="device">Where the sessions run.</param>
    /// <param name="weights">What the embedding reads; disposed with the session.</param>
    public EncoderSession(GraphFolder graphs, EncoderConfig config, TokenEmbedding embedding, int[] stops, int? threads, ModelDevice device, SafetensorsFolder weights)
        : base(weights.Folder, config.Layers, threads)
    {
        (_graphs, _config, _embedding, _stops, _device, _weights) = (graphs, config, embedding, stops, device, weights);
        if (config.GlobalRope is RotaryConfig global && config.LocalRope is RotaryConfig local)
        {
            _globalRope = new RopeTable(global.InverseFrequencies, global.AttentionScaling);
            _localRope = new RopeTable(local.InverseFrequencies, local.AttentionScaling);
        }

        MappedFiles.Enter(graphs.Folder);
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
        try
        {
            using InferenceSession session = OwnOperators.Open(() => new InferenceSession(graph, options));
        }
        catch (OnnxRuntimeException error)
        {
            throw new IOException(ExecutionDevice.OneLine(error), error);   // the graph is our own: what fails is writing it
        }
    }

    /// <summary>How attention is best written for a device.</summary>
    public static AttentionForm Form(ModelDevice device, bool standard) => !standard && device == ModelDevice.Cpu && OwnOperators.IsAvailable ? AttentionForm.Own : AttentionForm.Standard;

    /// <summary>What the prepared form depends on besides the graph: the runtime's version and the processor's instructions.</summary>
    public static string Target => $"{OrtEnv.Instance().GetVersionString()} {ProcessorName.Text}";

    /// <summary>Our own operators take texts by where they begin; the runtime's pad them.</summary>
    public override bool Packs => _graphs.Form == AttentionForm.Own;

    public override LayerState Select(LayerState state, ReadOnlySpan<int> rows)
    {
        int[] lengths = state.LengthsOf(rows);
        OrtValue hidden = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, lengths.Sum(), _config.HiddenSize]);
        state.Copy(rows, hidden.GetTensorMutableDataAsSpan<float>());
        return new State(hidden, lengths, state.Exit);
    }

    protected override LayerState Run(TokenBatch batch, int exit, int threads, CancellationToken cancellationToken)
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

        return Forward(hidden, batch.Lengths, 0, exit, threads, ownsInput: true, cancellationToken);
    }

    protected override LayerState Continue(LayerState state, int exit, int threads, CancellationToken cancellationToken)
    {
        State from = (State)state;
        return Forward(from.Value, from.Lengths, from.Exit, exit, threads, ownsInput: false, cancellationToken);
    }

    protected override void Free()
    {
        foreach (InferenceSession session in _sessions.Values)
        {
            session.Dispose();
        }

        MappedFiles.Leave(_graphs.Folder);
        _weights.Dispose();
    }

    private State Forward(OrtValue input, int[] lengths, int from, int exit, int threads, bool ownsInput, CancellationToken cancellationToken)
    {
        OrtValue current = input;
        OrtValue? spare = null;   // the states before the current ones: the next take their place
        bool owned = ownsInput;
        try
        {
            if (exit > from)
            {
                InferenceSession[] sessions = Sessions(from, exit, threads);
                if (threads > 1 && lengths.Sum() >= VeryLongTokens)
                {
                    lock (_opening)
                    {
                        MappedFiles.LetGo(_graphs.Folder);   // the weights of the sessions of one thread, which wait
                    }
                }

                using RunInputs inputs = new(this, lengths);
                using RunOptions options = Quiet(lengths.Sum());
                using CancellationTokenRegistration registration = cancellationToken.Register(() => inputs.Stop(options));
                foreach (InferenceSession session in sessions)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    OrtValue next = spare ??= Like(current);   // outside the run's arena, which could not give back the region around it
                    RunStretch(session, current, next, inputs, options, cancellationToken);
                    (spare, current, owned) = (owned ? current : null, next, true);
                }
            }
            else if (!owned)
            {
                current = Like(input);
                input.GetTensorDataAsSpan<float>().CopyTo(current.GetTensorMutableDataAsSpan<float>());
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
            spare?.Dispose();
        }
    }

    // The arena never gives back the memory of its first run: let that be a short one.
    private void FirstRun(InferenceSession session)
    {
        using RunInputs inputs = new(this, [2]);
        using RunOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using OrtValue hidden = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, 2, _config.HiddenSize]);
        hidden.GetTensorMutableDataAsSpan<float>().Clear();
        using OrtValue next = Like(hidden);
        RunStretch(session, hidden, next, inputs, options, CancellationToken.None);
    }

    private static void RunStretch(InferenceSession session, OrtValue hidden, OrtValue next, RunInputs inputs, RunOptions options, CancellationToken cancellationToken)
    {
        try
        {
            session.Run(options, inputs.Names, inputs.With(hidden), session.OutputNames, [next]);
        }
        catch
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private string Graph(int from, int to)
    {
        try
        {
            return _graphs.Stretch(from, to, Prepare);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The cache of '{Folder}' cannot take the graph of layers {from} to {to} ({ExecutionDevice.OneLine(error)}). Expected: a folder that can be written and has room; free some space there, set ModelOptions.CacheFolder to another, or use one of the model's own exits.", error);
        }
    }

    // The stretches up to an exit; those that are not open yet are opened side by side, since the runtime packs each one's weights again to know that they are the packed ones.
    private InferenceSession[] Sessions(int from, int exit, int threads)
    {
        int[] ends = [from, .. _stops.Where(stop => stop > from && stop < exit), exit];
        (int From, int To, int Threads)[] stretches = [.. ends.Zip(ends.Skip(1), (start, end) => (start, end, threads))];
        if (!Array.TrueForAll(stretches, _sessions.ContainsKey))
        {
            lock (_opening)
            {
                SideBySide.Run([.. stretches.Where(stretch => !_sessions.ContainsKey(stretch)).Select(stretch => (Action)(() => _sessions[stretch] = Open(stretch.From, stretch.To, threads)))]);
            }
        }

        return Array.ConvertAll(stretches, stretch => _sessions[stretch]);
    }

    private InferenceSession Open(int from, int to, int threads)
    {
        string file = Graph(from, to);
        using SessionOptions options = Options(threads);
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;   // done when the file was written
        ExecutionDevice.Use(_device, options);
        InferenceSession session;
        try
        {
            session = OwnOperators.Open(() => new InferenceSession(file, options));
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"'{file}' is not a graph as it was written ({ExecutionDevice.OneLine(error)}). Expected: a whole cache folder; delete '{Path.GetDirectoryName(file)}', the next opening writes it again.", error);
        }

        FirstRun(session);
        return session;
    }

    internal static SessionOptions Options(int threads)
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
        OwnOperators.AddTo(options.DangerousGetHandle());
        return options;
    }

    internal static RunOptions Quiet(int tokens)
    {
        RunOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        if (tokens >= LongTokens)
        {
            options.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");   // a long text's memory goes back after each stretch
        }

        return options;
    }

    private static OrtValue Like(OrtValue value) => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, value.GetTensorTypeAndShape().Shape);

    /// <summary>Hidden states in the runtime's memory.</summary>
    private sealed class State(OrtValue value, int[] lengths, int exit) : LayerState
    {
        public OrtValue Value { get; } = value;

        public override int Exit { get; } = exit;

        public override int[] Lengths { get; } = lengths;

        public override ReadOnlySpan<float> Hidden => Value.GetTensorDataAsSpan<float>();

        protected override void Free() => Value.Dispose();
    }

    /// <summary>The inputs of every stretch of one run besides the hidden states.</summary>
    private sealed class RunInputs : IDisposable
    {
        private readonly List<string> _names = ["hidden"];
        private readonly List<OrtValue> _values = [null!];
        private readonly long[] _texts = [0];

        public RunInputs(EncoderSession session, int[] lengths)
        {
            foreach (BatchInput input in BatchInput.Of(session._graphs.Form, lengths, session._config, session._globalRope, session._localRope))
            {
                _names.Add(input.Name);
                _texts = input.Name == "texts" ? (long[])input.Values : _texts;
                _values.Add(input.Values switch
                {
                    long[] values => OrtValue.CreateTensorValueFromMemory(values, input.Shape),
                    float[] values => OrtValue.CreateTensorValueFromMemory(values, input.Shape),
                    _ => OrtValue.CreateTensorValueFromMemory((bool[])input.Values, input.Shape),
                });
            }
        }

        /// <summary>Ends a run: the runtime looks between operators, our own operator inside.</summary>
        public void Stop(RunOptions options)
        {
            options.Terminate = true;
            Volatile.Write(ref _texts[0], -1);
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
    }
}

/// <summary>One published graph: token ids and mask in, token states (or one vector a text) out, in single or half precision.</summary>
/// <remarks>The names of inputs and outputs are found from the graph. Thread-safe.</remarks>
internal sealed class PublishedGraph : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string[] _inputs;
    private readonly string[] _output;
    private readonly string _path;

    public PublishedGraph(string path, int threads, ModelDevice device)
    {
        _path = path;
        using SessionOptions options = EncoderSession.Options(threads);
        ExecutionDevice.Use(device, options);
        try
        {
            _session = OwnOperators.Open(() => new InferenceSession(path, options));
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"'{path}' cannot be run ({ExecutionDevice.OneLine(error)}). Expected: a complete ONNX file with its .data file beside it and operators of ONNX Runtime; download both again.", error);
        }

        try
        {
            _inputs = [.. _session.InputNames];
            _output = [PublishedNames.OutputOf([.. _session.OutputNames], path)];
            string[] strange = [.. _inputs.Where(name => PublishedNames.RoleOf(name) == InputRole.None || _session.InputMetadata[name] is not { IsTensor: true, ElementDataType: TensorElementType.Int64 or TensorElementType.Int32 })];
            if (strange.Length > 0 || _inputs.Count(name => PublishedNames.RoleOf(name) == InputRole.Ids) != 1)
            {
                throw new InvalidDataException($"'{path}' has the inputs {string.Join(", ", _inputs)}. Expected: integer tensors input_ids, attention_mask and, of some models, token_type_ids and position_ids; SkMmBert cannot run others.");
            }
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>Runs a batch on rows padded to the right; the states of all texts one after the other, [tokens, width], or [texts, width] where the graph pools.</summary>
    public (float[] States, bool Pooled) Run(TokenBatch batch, int padId, CancellationToken cancellationToken)
    {
        int rows = batch.Rows, longest = Math.Max(2, batch.Lengths.Max());   // exports are traced for at least two tokens
        using RunOptions options = EncoderSession.Quiet(rows * longest);
        OrtValue[] inputs = new OrtValue[_inputs.Length];
        try
        {
            for (int i = 0; i < inputs.Length; i++)
            {
                inputs[i] = Input(_inputs[i], batch, longest, padId);
            }

            cancellationToken.ThrowIfCancellationRequested();
            using CancellationTokenRegistration registration = cancellationToken.Register(() => options.Terminate = true);
            using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(options, _inputs, inputs, _output);
            return Unpad(results[0], batch.Lengths, longest);
        }
        catch (OnnxRuntimeException error) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The run was cancelled.", error, cancellationToken);
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"'{_path}' cannot run these texts ({ExecutionDevice.OneLine(error)}). Expected: a graph and a tokenizer of one model; download both again.", error);
        }
        finally
        {
            Array.ForEach(inputs, input => input?.Dispose());
        }
    }

    public void Dispose() => _session.Dispose();

    private OrtValue Input(string name, TokenBatch batch, int longest, int padId)
    {
        long[] values = PaddedRows.Of(batch, longest, PublishedNames.RoleOf(name), padId);   // [rows, longest]
        return _session.InputMetadata[name].ElementDataType == TensorElementType.Int64
            ? OrtValue.CreateTensorValueFromMemory(values, [batch.Rows, longest])
            : OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (int)value), [batch.Rows, longest]);
    }

    private (float[] States, bool Pooled) Unpad(OrtValue output, int[] lengths, int longest)
    {
        OrtTensorTypeAndShapeInfo info = output.GetTensorTypeAndShape();
        (long[] shape, bool pooled) = (info.Shape, info.Shape.Length == 2);
        if (shape.Length is not (2 or 3) || shape[0] != lengths.Length || (!pooled && shape[1] != longest) || info.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new InvalidDataException($"'{_path}' gives {_output[0]} as {info.ElementDataType} [{string.Join(", ", shape)}] for {lengths.Length} texts of at most {longest} tokens. Expected: Float or Float16, [texts, tokens, width] or [texts, width]; SkMmBert cannot use others.");
        }

        float[] states = new float[shape.Aggregate(1, (all, size) => all * (int)size)];
        if (info.ElementDataType == TensorElementType.Float)
        {
            output.GetTensorDataAsSpan<float>().CopyTo(states);
        }
        else
        {
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<Float16, Half>(output.GetTensorDataAsSpan<Float16>()), states);
        }

        states = pooled ? states : PaddedRows.Without(states, lengths, longest);
        return TensorPrimitives.IsFiniteAll<float>(states) ? (states, pooled)
            : throw new InvalidDataException($"'{_path}' gave a value that is not finite. Expected: finite states; half precision overflows on some texts, use the single-precision graphs or the folder's model.safetensors.");
    }
}

/// <summary>What sessions run on: asked of the runtime, never guessed.</summary>
internal static class ExecutionDevice
{
    private const string CudaProvider = "CUDAExecutionProvider";

    /// <summary>The device that will run; one that was asked for by name and is not there is an error with the runtime's reason.</summary>
    public static ModelDevice Resolve(ModelDevice wanted)
    {
        LargeBlocks.KeepApart();
        OrtEnv.Instance().DisableTelemetryEvents();   // recent runtimes report sessions to their maker unless told not to
        bool auto = wanted == ModelDevice.Auto;
        ModelDevice device = auto ? ModelDevice.Cuda() : wanted;
        string? reason = device == ModelDevice.Cpu ? null : WhyNot(device);
        return reason is null ? device : auto ? ModelDevice.Cpu : throw new NotSupportedException(
            $"Device {wanted} cannot be used: {reason}. Expected: the package Microsoft.ML.OnnxRuntime.Gpu in place of Microsoft.ML.OnnxRuntime, and CUDA with cuDNN for it; install them, or open the model with ModelDevice.Cpu or ModelDevice.Auto.");
    }

    /// <summary>Adds what a session needs for a device that was resolved.</summary>
    public static void Use(ModelDevice device, SessionOptions options)
    {
        if (device.CudaIndex is int index)
        {
            options.AppendExecutionProvider_CUDA(index);
        }
    }

    /// <summary>The reason in an error's message, without the runtime's source lines before it.</summary>
    public static string OneLine(Exception error)
    {
        string line = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        return error is not OnnxRuntimeException ? line
            : line.LastIndexOf(" : ", StringComparison.Ordinal) is > 0 and int at ? line[(at + 3)..] : line[(line.IndexOf(']') + 1)..].TrimStart();
    }

    // A session of one node shows what a list of providers does not: that the driver, its libraries and the card are there.
    private static string? WhyNot(ModelDevice device)
    {
        OrtEnv runtime = OrtEnv.Instance();
        string[] providers = runtime.GetAvailableProviders();
        if (!providers.Contains(CudaProvider))
        {
            return $"the native ONNX Runtime {runtime.GetVersionString()} has {string.Join(", ", providers)} and no {CudaProvider}";
        }

        OrtLoggingLevel level = runtime.EnvLogLevel;
        runtime.EnvLogLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;   // the reason comes as an exception; the runtime would print it too
        OnnxWriter writer = new();
        writer.Output(writer.Node("Identity", [writer.Input("in", OnnxType.Float, 1)]), OnnxType.Float, 1);
        try
        {
            using SessionOptions options = EncoderSession.Options(1);
            Use(device, options);
            using InferenceSession session = OwnOperators.Open(() => new InferenceSession(writer.ToModel("probe"), options));
            return null;
        }
        catch (Exception error) when (error is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            return OneLine(error);
        }
        finally
        {
            runtime.EnvLogLevel = level;
        }
    }
}
