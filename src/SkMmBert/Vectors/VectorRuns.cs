using System.Buffers;
using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Takes windows of texts through the model: batches sorted by length, a bounded number of runs at once over all callers.</summary>
internal sealed class VectorRuns(VectorSource source, MatryoshkaRecipe recipe, int streams)
{
    /// <summary>Most texts planned together.</summary>
    public const int WindowTexts = 4096;

    private readonly SemaphoreSlim _free = new(streams);

    /// <summary>Tokens planned together: a few batches for each stream, so that lengths sort well and memory stays bounded.</summary>
    public int WindowTokens { get; } = (int)Math.Min(int.MaxValue, 8L * streams * source.MaxBatchTokens);

    /// <summary>Gives one vector of the given length per text, in order.</summary>
    public async Task<float[][]> RunAsync(IReadOnlyList<SlicedText> texts, int dimensions, int exit, CancellationToken cancellationToken)
    {
        if (texts.Count == 0)
        {
            return [];
        }

        List<int[]> slices = [];
        foreach (SlicedText text in texts)
        {
            slices.AddRange(text.Slices);
        }

        int[] lengths = new int[slices.Count];
        bool[] alone = new bool[slices.Count]; // whether a slice is its whole text
        for (int text = 0, slice = 0; text < texts.Count; text++)
        {
            alone[slice] = texts[text].Slices.Length == 1;
            foreach (int[] ids in texts[text].Slices)
            {
                lengths[slice++] = ids.Length;
            }
        }

        List<int[]> batches = source.Plan(lengths, BatchPlanner.Share(lengths, streams, source.MaxBatchTokens));
        float[][] rows = new float[slices.Count][]; // a vector for a whole text, else a pooled row of the full width
        await RunAllAsync(batches, (batch, stop) => RunBatch(batch, slices, alone, rows, dimensions, exit, stop), cancellationToken).ConfigureAwait(false);
        return Join(texts, rows, dimensions);
    }

    private async Task RunAllAsync(List<int[]> batches, Action<int[], CancellationToken> run, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        int next = -1;
        async Task StreamAsync()
        {
            try
            {
                for (int at; (at = Interlocked.Increment(ref next)) < batches.Count;)
                {
                    await _free.WaitAsync(stop.Token).ConfigureAwait(false);
                    try
                    {
                        stop.Token.ThrowIfCancellationRequested();
                        run(batches[at], stop.Token);
                    }
                    finally
                    {
                        _free.Release();
                    }
                }
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false); // the other streams need not go on
                throw;
            }
        }

        Task[] running = new Task[Math.Min(streams, batches.Count)];
        for (int i = 1; i < running.Length; i++)
        {
            running[i] = Task.Run(StreamAsync, CancellationToken.None);
        }

        running[0] = StreamAsync();
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private void RunBatch(int[] batch, List<int[]> slices, bool[] alone, float[][] rows, int dimensions, int exit, CancellationToken cancellationToken)
    {
        int[][] ids = new int[batch.Length][];
        for (int i = 0; i < batch.Length; i++)
        {
            ids[i] = slices[batch[i]];
        }

        int width = source.Manifest.HiddenSize;
        float[] pooled = ArrayPool<float>.Shared.Rent(batch.Length * width); // [rows, hidden]
        try
        {
            source.Pool(TokenBatch.Of(ids), exit, pooled.AsSpan(0, batch.Length * width), cancellationToken);
            for (int i = 0; i < batch.Length; i++)
            {
                ReadOnlySpan<float> row = pooled.AsSpan(i * width, width);
                float[] kept = new float[alone[batch[i]] ? dimensions : width];
                if (alone[batch[i]])
                {
                    Matryoshka.Shape(row, kept, recipe);
                }
                else
                {
                    row.CopyTo(kept);
                }

                rows[batch[i]] = kept;
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(pooled);
        }
    }

    // Slices are added in their order, so that the sum does not depend on which run ended first.
    private float[][] Join(IReadOnlyList<SlicedText> texts, float[][] rows, int dimensions)
    {
        float[][] vectors = new float[texts.Count][];
        for (int text = 0, slice = 0; text < texts.Count; text++)
        {
            int[][] slices = texts[text].Slices;
            if (slices.Length == 1)
            {
                vectors[text] = rows[slice++];
                continue;
            }

            float[] mean = new float[source.Manifest.HiddenSize];
            float tokens = texts[text].Tokens;
            foreach (int[] ids in slices)
            {
                TensorPrimitives.MultiplyAdd(rows[slice++], ids.Length / tokens, mean, mean);
            }

            Matryoshka.Shape(mean, vectors[text] = new float[dimensions], recipe);
        }

        return vectors;
    }
}
