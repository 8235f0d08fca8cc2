using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.ML.OnnxRuntime;
using SkMmBert.Tests;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>What the encoder costs beside the arithmetic: stretches, exits, opening, mixed lengths; and how near it is to plain products.</summary>
internal static class LimitsBenchmark
{
    private static readonly (int In, int Out)[] Products = [(768, 768), (768, 768), (768, 768), (768, 768), (768, 1_152), (768, 1_152), (1_152, 768)];

    /// <summary>The chain of stretches against the same layers as one graph, in alternation.</summary>
    public static int RunSegments(string[] args)
    {
        using MmBertModel model = SpeedBenchmark.Open(BenchmarkArguments.Precision(args), 1);
        using EncoderSession whole = OnePiece.Open(model, model.Options);
        foreach (int length in new[] { 16, 128, 512 })
        {
            TokenBatch batch = TokenBatch.Of(SpeedBenchmark.Text(new Random(1), length));
            using (LayerState chained = model.Run(batch, 22, default), one = whole.Run(batch, 22, default))
            {
                Console.WriteLine(chained.Hidden.SequenceEqual(one.Hidden) ? "bit-identical" : "DIFFERENT");
            }

            double[] ms = Cpu.Alternate(length >= 512 ? 8 : length >= 128 ? 20 : 100, () => whole.Run(batch, 22, default).Dispose(), () => model.Run(batch, 22, default).Dispose());
            Console.WriteLine($"{BenchmarkArguments.Precision(args)} {length} tokens: one piece {ms[0]:F1} ms, chained {ms[1]:F1} ms = {ms[1] / ms[0]:F3}, load {Cpu.Load()}");
        }

        return 0;
    }

    /// <summary>The runtime's plain matrix product over the shapes of all layers against the whole run, in alternation.</summary>
    public static int RunProducts(string[] args)
    {
        int[] lengths = [.. args.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        using MmBertModel model = SpeedBenchmark.Open(ModelPrecision.Fp32, 1);
        using SessionOptions options = new() { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using InferenceSession plain = new(PlainProducts(), options);
        foreach (int length in lengths.Length > 0 ? lengths : [16, 128, 512, 2_048])
        {
            TokenBatch batch = TokenBatch.Of(SpeedBenchmark.Text(new Random(1), length));
            using OrtValue narrow = OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, length * 768).Select(i => (i % 7) - 3f).ToArray(), [length, 768]);
            using OrtValue wide = OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, length * 1_152).Select(i => (i % 7) - 3f).ToArray(), [length, 1_152]);
            using RunOptions run = new();
            double[] ms = Cpu.Alternate(length >= 2_048 ? 3 : length >= 512 ? 6 : 15,
                () => Array.ForEach(Enumerable.Range(0, 22).ToArray(), _ => plain.Run(run, ["x768", "x1152"], [narrow, wide], plain.OutputNames).Dispose()),
                () => model.Run(batch, 22, default).Dispose());
            double flops = 22.0 * length * 2 * Products.Sum(product => (double)product.In * product.Out);
            Console.WriteLine($"{length} tokens: products alone {ms[0]:F1} ms ({flops / ms[0] / 1e6:F0} GFLOP/s), fp32 run {ms[1]:F1} ms; products are {ms[0] / ms[1]:F3} of the run, load {Cpu.Load()}");
        }

        return 0;
    }

    /// <summary>Memory of a fresh process with all five exits run, or with the layers as one graph.</summary>
    public static int RunExitMemory(string[] args)
    {
        using MmBertModel model = SpeedBenchmark.Open(BenchmarkArguments.Precision(args), 1);
        TokenBatch batch = TokenBatch.Of([2, 5, 6, 7, 1]);
        if (args.Contains("one"))
        {
            using EncoderSession whole = OnePiece.Open(model, model.Options);
            whole.Run(batch, 22, default).Dispose();
            Console.WriteLine($"one graph of 22 layers, {BenchmarkArguments.Precision(args)}: memory in MB: {Cpu.Memory()}");
            return 0;
        }

        foreach (int exit in new[] { 3, 6, 11, 16, 22 })
        {
            model.Run(batch, exit, default).Dispose();
        }

        Console.WriteLine($"five exits open, {BenchmarkArguments.Precision(args)}: memory in MB: {Cpu.Memory()}");
        return 0;
    }

    /// <summary>Seconds from nothing to the first vector, with warm caches, in this process: run it twice.</summary>
    public static int RunOpen(string[] args)
    {
        long start = Stopwatch.GetTimestamp();
        using MmBertModel model = SpeedBenchmark.Open(BenchmarkArguments.Precision(args), null);
        double open = Stopwatch.GetElapsedTime(start).TotalSeconds;
        model.Run(TokenBatch.Of([2, 5, 6, 7, 1]), 22, default).Dispose();
        Console.WriteLine($"{BenchmarkArguments.Precision(args)}: open {open:F2} s, with the first run {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s, processor {Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds:F2} s since the process began; memory in MB: {Cpu.Memory()}; load {Cpu.Load()}");
        return 0;
    }

    /// <summary>Peak memory of texts of 1 to 8,000 tokens (short ones more often, as texts are; the two longest run side by side) through the generator, with the default budget.</summary>
    public static async Task<int> RunMixAsync(string[] args)
    {
        int count = BenchmarkArguments.Numbers(args, 2_000)[0];
        using MmBertModel model = args.Contains("full") ? SpeedBenchmark.Open(BenchmarkArguments.Precision(args), null)
            : MmBertModel.Open(BenchmarkPaths.MiniEmbed, new ModelOptions { Precision = BenchmarkArguments.Precision(args) });
        MmBertEmbeddingGenerator generator = new(model, new EmbeddingOptions { MaxTokens = 8_000 });
        Random random = new(5);
        string[] texts = [.. Enumerable.Range(0, count).Select(i => string.Concat(Enumerable.Repeat("and ", i < 2 ? 8_000 : (int)Math.Exp(random.NextDouble() * Math.Log(8_000)))))];
        Stopwatch watch = Stopwatch.StartNew();
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(texts);
        Console.WriteLine($"{count} texts of 1 to 8,000 tokens ({found.Usage!.InputTokenCount} in all), {(args.Contains("full") ? "full size" : "mini")}, {BenchmarkArguments.Precision(args)}: {watch.Elapsed.TotalSeconds:F0} s; memory in MB: {Cpu.Memory()}; load {Cpu.Load()}");
        return 0;
    }

    private static byte[] PlainProducts()
    {
        OnnxWriter graph = new();
        graph.Input("x768", OnnxType.Float, null, 768);
        graph.Input("x1152", OnnxType.Float, null, 1_152);
        for (int i = 0; i < Products.Length; i++)
        {
            (int rows, int columns) = Products[i];
            float[] weights = [.. Enumerable.Range(0, rows * columns).Select(j => ((j % 13) - 6) * 0.01f)];
            graph.Output(graph.Node("MatMul", [$"x{rows}", graph.Constant($"w{i}", [rows, columns], weights)]), OnnxType.Float, null, columns);
        }

        return graph.ToModel("products");
    }
}
