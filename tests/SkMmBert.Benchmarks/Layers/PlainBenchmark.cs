using System.Globalization;
using SkMmBert.Cli;
using SkMmBert.Tests;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>The plain export that <c>skmmbert bench</c> writes against the one that an exporter wrote, full size, in turn: what the first is compared with must not be slow.</summary>
internal static class PlainBenchmark
{
    public static int Run(string[] args)
    {
        int[] lengths = args.Length > 0 ? [.. args.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))] : [16, 128, 512];
        using NaiveModel exported = new(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, threads: 1);
        using PlainExport plain = PlainExport.Open(FormulaModel.Folder(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts, BenchmarkPaths.MiniEmbed), threads: 1);
        Random random = new(1);
        foreach (int length in lengths)
        {
            int[] text = [.. Enumerable.Range(0, length).Select(_ => random.Next(5, 256_000))];
            TokenBatch batch = TokenBatch.Of(text);
            double[] ms = Cpu.Alternate(length >= 2_048 ? 3 : 8, () => exported.Run(text), () => plain.Run(batch));
            Console.WriteLine($"{length} tokens: exporter {ms[0]:F1} ms, written by bench {ms[1]:F1} ms, {ms[1] / ms[0]:F3} of it; load {Cpu.Load()}");
        }

        return 0;
    }
}
