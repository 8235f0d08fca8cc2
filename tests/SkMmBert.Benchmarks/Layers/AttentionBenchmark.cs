namespace SkMmBert.Benchmarks.Layers;

/// <summary>Our own attention operator against the runtime's operators, the same model otherwise, in alternating pairs of one process.</summary>
internal static class AttentionBenchmark
{
    public static int Run(string[] args)
    {
        Console.WriteLine("| precision | tokens | runtime's ms | own ms | ratio | pooled cosine | load |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (ModelPrecision precision in BenchmarkArguments.Precisions(args))
        {
            using MmBertModel standard = SpeedBenchmark.Open(precision, 1, standard: true), own = SpeedBenchmark.Open(precision, 1);
            foreach (int length in BenchmarkArguments.Numbers(args, 16, 64, 128, 512, 2_048))
            {
                TokenBatch batch = TokenBatch.Of(SpeedBenchmark.Text(new Random(1), length));
                double[] ms = Cpu.Alternate(length >= 2_048 ? 3 : length >= 512 ? 6 : 15, () => standard.Run(batch, 22, default).Dispose(), () => own.Run(batch, 22, default).Dispose());
                double cosine = System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(Pooled(standard, batch), Pooled(own, batch));
                Console.WriteLine($"| {precision} | {length} | {ms[0]:F1} | {ms[1]:F1} | {ms[0] / ms[1]:F3} | {cosine:F7} | {Cpu.Load()} |");
            }
        }

        return 0;
    }

    private static float[] Pooled(MmBertModel model, TokenBatch batch)
    {
        float[] pooled = new float[model.Manifest.HiddenSize];
        using LayerState state = model.Run(batch, 22, default);
        model.Pool(state, finalNorm: true, pooled);
        return pooled;
    }
}
