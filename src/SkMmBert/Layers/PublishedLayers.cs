namespace SkMmBert;

/// <summary>Runs the published graphs of a model, one for each layer that was published, as they are.</summary>
/// <remarks>
/// <para>A published graph begins at the token ids, so going on from an exit runs the later graph from the beginning.</para>
/// <para>Thread-safe. A graph is opened when its exit is first run and stays open.</para>
/// </remarks>
/// <param name="modelFolder">The model folder, for messages.</param>
/// <param name="graphs">The graph file of each exit.</param>
/// <param name="layers">Layers of the whole model.</param>
/// <param name="hiddenSize">Width of a state.</param>
/// <param name="padId">The id that fills short rows.</param>
/// <param name="threads">Threads of one run; null to choose by the text.</param>
/// <param name="device">Where the graphs run.</param>
internal sealed class PublishedLayers(string modelFolder, IReadOnlyDictionary<int, string> graphs, int layers, int hiddenSize, int padId, int? threads, ModelDevice device)
    : LayerRunner(modelFolder, layers, threads)
{
    private readonly Dictionary<(int Exit, int Threads), PublishedGraph> _open = [];
    private readonly Lock _opening = new();

    public override void CheckExit(int exit)
    {
        if (!graphs.ContainsKey(exit))
        {
            throw new ArgumentException($"Exit {exit} was asked of '{Folder}', which has no onnx/layer-{exit}. Expected: {string.Join(", ", graphs.Keys.Order())}, the layers it has graphs of; download that layer, or a folder with model.safetensors for any exit.", nameof(exit));
        }
    }

    public override LayerState Select(LayerState state, ReadOnlySpan<int> rows)
    {
        State from = (State)state;
        int[] starts = Starts(from.Batch.Lengths);
        List<int[]> texts = [];
        foreach (int row in rows)
        {
            texts.Add(from.Batch.Ids[starts[row]..starts[row + 1]]);
        }

        float[] hidden = new float[from.LengthsOf(rows).Sum() * hiddenSize];
        from.Copy(rows, hidden);
        return new State(hidden, TokenBatch.Of(texts), from.IsPooled, from.Exit);
    }

    protected override LayerState Run(TokenBatch batch, int exit, int threads, CancellationToken cancellationToken)
    {
        (float[] states, bool pooled) = Graph(exit, threads).Run(batch, padId, cancellationToken);
        int rows = pooled ? batch.Rows : batch.Ids.Length;
        return states.Length == rows * hiddenSize ? new State(states, batch, pooled, exit) : throw new InvalidDataException(
            $"'{graphs[exit]}' gives states of width {states.Length / rows}. Expected: {hiddenSize}, as the folder's configuration says; graphs and configuration do not belong together, download both again.");
    }

    protected override LayerState Continue(LayerState state, int exit, int threads, CancellationToken cancellationToken)
    {
        State from = (State)state;
        return exit == from.Exit ? new State(from.Hidden.ToArray(), from.Batch, from.IsPooled, exit) : Run(from.Batch, exit, threads, cancellationToken);
    }

    protected override void Free()
    {
        foreach (PublishedGraph graph in _open.Values)
        {
            graph.Dispose();
        }
    }

    private PublishedGraph Graph(int exit, int threads)
    {
        lock (_opening)
        {
            if (!_open.TryGetValue((exit, threads), out PublishedGraph? graph))
            {
                graph = new PublishedGraph(graphs[exit], threads, device);
                _open.Add((exit, threads), graph);
            }

            return graph;
        }
    }

    /// <summary>States of a batch with its ids; where the graph pools, one state a text.</summary>
    private sealed class State(float[] hidden, TokenBatch batch, bool pooled, int exit) : LayerState
    {
        public TokenBatch Batch => batch;

        public override int Exit => exit;

        public override bool IsPooled => pooled;

        public override int[] Lengths { get; } = pooled ? [.. Enumerable.Repeat(1, batch.Rows)] : batch.Lengths;

        public override ReadOnlySpan<float> Hidden => hidden;

        protected override void Free()
        {
        }
    }
}
