namespace SkMmBert.Tests;

/// <summary>A model that pools a row from its ids and the exit alone, and counts what it is asked.</summary>
internal sealed class LetterModel
{
    public const int Width = 256;

    public int Runs;
    public int Rows;
    public int LargestBatch;
    public int MostAtOnce;
    private int _now;

    public Action<TokenBatch, CancellationToken>? OnRun { get; init; }

    public ModelManifest Manifest { get; init; } = new("letters", "/letters", "modernbert", 6, Width, 64, [1, 3, 6], [256, 128, 64], ModelPooling.Mean, ExitNorm.FinalNorm, false, "f00d")
    {
        Tiers = [64, 128, 256],
    };

    public int MaxBatchTokens { get; init; } = 100;

    public MmBertEmbeddingGenerator Generator(EmbeddingOptions? options = null) => new(new VectorSource(Manifest, new LetterTokenizer(), MaxBatchTokens, 1, (lengths, most) => BatchPlanner.Plan(lengths, most, packs: false), Pool), options);

    /// <summary>What the model pools for a text, [Width].</summary>
    public static float[] Pooled(ReadOnlySpan<int> ids, int exit)
    {
        float[] row = new float[Width];
        foreach (int id in ids)
        {
            for (int i = 0; i < Width; i++)
            {
                row[i] += MathF.Sin((id * 0.37f * (i + 1)) + exit) / ids.Length;
            }
        }

        return row;
    }

    private void Pool(TokenBatch batch, int exit, Span<float> pooled, CancellationToken cancellationToken)
    {
        int now = Interlocked.Increment(ref _now);
        try
        {
            lock (this)
            {
                Runs++;
                Rows += batch.Rows;
                LargestBatch = Math.Max(LargestBatch, batch.Rows == 1 ? 0 : batch.Ids.Length);
                MostAtOnce = Math.Max(MostAtOnce, now);
            }

            OnRun?.Invoke(batch, cancellationToken);
            int at = 0;
            for (int row = 0; row < batch.Rows; row++)
            {
                Pooled(batch.Ids.AsSpan(at, batch.Lengths[row]), exit).CopyTo(pooled[(row * Width)..]);
                at += batch.Lengths[row];
            }
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }
}
