namespace SkMmBert;

/// <summary>Layers where a reranking may let go of texts: those with heads, and some between, where a probe alone can tell.</summary>
/// <remarks>
/// A head is not needed to foretell the last logit, and one layer more can tell far better: the first token of a text sees the whole of it only in layers with global attention.
/// </remarks>
internal static class RerankStops
{
    // A stretch of the model is at most one of so many parts: enough to stop near the best layer, few enough to keep the states of.
    private const int Parts = 8;

    /// <summary>The exits, and evenly spread layers where two of them are far apart, ascending.</summary>
    public static IReadOnlyList<int> Of(IReadOnlyList<int> exits, int layers)
    {
        int longest = (layers + Parts - 1) / Parts;
        List<int> stops = [exits[0]];
        foreach (int exit in exits.Skip(1))
        {
            int from = stops[^1], pieces = (exit - from + longest - 1) / longest;
            stops.AddRange(Enumerable.Range(1, pieces).Select(piece => from + ((exit - from) * piece / pieces)));
        }

        return stops;
    }

    /// <summary>Runs a batch to each of some layers in turn, each layer once, and shows the states there; they are disposed afterwards.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">Texts.</param>
    /// <param name="stops">Layers, ascending.</param>
    /// <param name="visit">Takes the place among the layers and the state there.</param>
    /// <param name="cancellationToken">Stops within a run.</param>
    public static void Walk(MmBertModel model, TokenBatch batch, IReadOnlyList<int> stops, Action<int, LayerState> visit, CancellationToken cancellationToken)
    {
        LayerState state = model.Run(batch, stops[0], cancellationToken);
        try
        {
            visit(0, state);
            for (int stop = 1; stop < stops.Count; stop++)
            {
                LayerState next = model.Continue(state, stops[stop], cancellationToken);
                state.Dispose();
                state = next;
                visit(stop, state);
            }
        }
        finally
        {
            state.Dispose();
        }
    }
}
