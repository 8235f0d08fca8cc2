using System.Diagnostics;
using System.Globalization;
using SkMmBert.Tests;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>The full-size encoder with formula weights against the plain export on the same runtime, in alternating pairs of one process.</summary>
internal static class SpeedBenchmark
{
    private static readonly int[] Lengths = [16, 32, 64, 128, 512, 2_048, 8_192];

    public static int Run(string[] args)
    {
        int[] lengths = args.Length > 0 ? [.. args.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))] : Lengths;
        using NaiveModel naive = new(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, threads: 1);
        using MmBertModel fp32 = Open(ModelPrecision.Fp32, 1), int8 = Open(ModelPrecision.Int8, 1);
        Random random = new(1);
        Console.WriteLine("| tokens | naive ms | fp32 ms | ratio | int8 ms | ratio | load |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (int length in lengths)
        {
            int[] text = Text(random, length);
            TokenBatch batch = TokenBatch.Of(text);
            double[] ms = Cpu.Alternate(length >= 8_192 ? 1 : length >= 2_048 ? 3 : length >= 512 ? 6 : 15,
                () => naive.Run(text), () => fp32.Run(batch, 22, default).Dispose(), () => int8.Run(batch, 22, default).Dispose());
            Console.WriteLine($"| {length} | {ms[0]:F1} | {ms[1]:F1} | {ms[0] / ms[1]:F2} | {ms[2]:F1} | {ms[0] / ms[2]:F2} | {Cpu.Load()} |");
        }

        Console.WriteLine($"memory in MB: {Cpu.Memory()}");
        return 0;
    }

    /// <summary>1,000 texts of 8 to 60 tokens: padded batches of 32 in arrival order against planned batches.</summary>
    public static int RunMixed(string[] args)
    {
        int count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000;
        using NaiveModel naive = new(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, threads: 1);
        using MmBertModel fp32 = Open(ModelPrecision.Fp32, 1), int8 = Open(ModelPrecision.Int8, 1);
        int[][] texts = MixedTexts(count);
        double[] ms = Cpu.Alternate(2,
            () => Array.ForEach([.. texts.Chunk(32)], chunk => naive.Run(chunk)),
            () => RunPlanned(fp32, texts),
            () => RunPlanned(int8, texts));
        Console.WriteLine($"{count} texts of 8 to 60 tokens, texts per second of processor time: naive padded {count / ms[0] * 1000:F1}, fp32 {count / ms[1] * 1000:F1} ({ms[0] / ms[1]:F2}×), int8 {count / ms[2] * 1000:F1} ({ms[0] / ms[2]:F2}×), load {Cpu.Load()}");
        return 0;
    }

    /// <summary>What an exit costs against its share of the layers, and what going on from it adds.</summary>
    public static int RunExits(string[] args)
    {
        ModelPrecision precision = BenchmarkArguments.Precision(args);
        using MmBertModel model = Open(precision, 1);
        Random random = new(1);
        foreach (int length in new[] { 128, 512 })
        {
            TokenBatch batch = TokenBatch.Of(Text(random, length));
            int[] exits = [3, 6, 11, 16, 22];
            double[] ms = Cpu.Alternate(8, [.. exits.Select(exit => (Action)(() => model.Run(batch, exit, default).Dispose()))]);
            for (int i = 0; i < exits.Length; i++)
            {
                Console.WriteLine($"{precision} {length} tokens, exit {exits[i]}: {ms[i]:F1} ms = {ms[i] / ms[^1]:F3} of the whole; share of layers {exits[i] / 22.0:F3}");
            }
        }

        return 0;
    }

    /// <summary>Texts per second of two streams against one, and the same for the plain matrix product of the runtime.</summary>
    public static int RunStreams(string[] args)
    {
        using MmBertModel model = Open(args.Contains("fp32") ? ModelPrecision.Fp32 : ModelPrecision.Int8, 1);
        TokenBatch batch = TokenBatch.Of(Text(new Random(1), 64));
        model.Run(batch, 22, default).Dispose();
        foreach (int streams in new[] { 1, 2, 1, 2 })
        {
            const int each = 60;
            Stopwatch watch = Stopwatch.StartNew();
            Parallel.For(0, streams, new ParallelOptions { MaxDegreeOfParallelism = streams }, _ =>
            {
                for (int i = 0; i < each; i++)
                {
                    model.Run(batch, 22, default).Dispose();
                }
            });
            Console.WriteLine($"{streams} stream(s) of 64-token texts: {each * streams / watch.Elapsed.TotalSeconds:F1} texts per second, load {Cpu.Load()}");
        }

        return 0;
    }

    /// <summary>One text of a length from a fresh process: time and peak memory.</summary>
    public static int RunMemory(string[] args)
    {
        (int length, ModelPrecision precision) = (int.Parse(args[0], CultureInfo.InvariantCulture), args.Contains("fp32") ? ModelPrecision.Fp32 : ModelPrecision.Int8);
        Stopwatch watch = Stopwatch.StartNew();
        using MmBertModel model = Open(precision, null);
        model.Run(TokenBatch.Of([2, 1]), 22, default).Dispose();
        Console.WriteLine($"open and first run: {watch.Elapsed.TotalSeconds:F2} s; memory in MB: {Cpu.Memory()}");
        watch.Restart();
        double cpu = Cpu.Alternate(1, () => model.Run(TokenBatch.Of(Text(new Random(1), length)), 22, default).Dispose())[0];
        Console.WriteLine($"{length} tokens {precision}: {watch.Elapsed.TotalSeconds:F1} s, processor {cpu / 1000:F1} s; memory in MB: {Cpu.Memory()}; load {Cpu.Load()}");
        return 0;
    }

    /// <summary>Texts of 8 to 60 tokens, the same ones every time; written for the JavaScript peer too.</summary>
    public static int[][] MixedTexts(int count)
    {
        Random random = new(7);
        return [.. Enumerable.Range(0, count).Select(_ => Text(random, random.Next(8, 61)))];
    }

    public static int[] Text(Random random, int length) => [.. Enumerable.Range(0, length).Select(i => i == 0 ? 2 : i == length - 1 ? 1 : random.Next(5, 256_000))];

    private static void RunPlanned(MmBertModel model, int[][] texts)
    {
        int[] lengths = [.. texts.Select(text => text.Length)];
        foreach (int[] batch in model.Plan(lengths, model.Options.MaxBatchTokens))
        {
            model.Run(TokenBatch.Of([.. batch.Select(i => texts[i])]), 22, default).Dispose();
        }
    }

    public static MmBertModel Open(ModelPrecision precision, int? threads, bool standard = false)
        => MmBertModel.Open(FormulaModel.Folder(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, BenchmarkPaths.MiniEmbed), new ModelOptions { Precision = precision, Threads = threads, StandardAttention = standard, CacheFolder = Path.Combine(BenchmarkPaths.Artifacts, "test-graphs") });
}
