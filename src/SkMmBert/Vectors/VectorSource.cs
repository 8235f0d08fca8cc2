namespace SkMmBert;

/// <summary>Runs a batch to an exit and pools it: [rows, hidden], not normalised to length 1.</summary>
internal delegate void PoolBatch(TokenBatch batch, int exit, Span<float> pooled, CancellationToken cancellationToken);

/// <summary>The batches of texts with the given token counts, each of at most so many tokens.</summary>
internal delegate List<int[]> PlanBatches(IReadOnlyList<int> lengths, int maxBatchTokens);

/// <summary>What the generator needs of a model.</summary>
internal sealed record VectorSource(ModelManifest Manifest, TextTokenizer Tokenizer, int MaxBatchTokens, int? Threads, PlanBatches Plan, PoolBatch Pool)
{
    public static VectorSource Of(MmBertModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModelManifest manifest = model.Manifest;
        return new(manifest, model.Tokenizer, model.Options.MaxBatchTokens, model.Options.Threads, model.Plan, (batch, exit, pooled, cancellationToken) =>
        {
            using LayerState state = model.Run(batch, exit, cancellationToken);
            model.Pool(state, IsNormed(manifest, exit), pooled);
        });
    }

    private static bool IsNormed(ModelManifest manifest, int exit) => manifest.ExitNorm switch
    {
        ExitNorm.FinalNorm => true,
        ExitNorm.Raw => exit == manifest.Layers,
        _ => false,
    };
}
