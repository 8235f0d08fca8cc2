using System.Diagnostics;
using System.Numerics.Tensors;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Recall and time of the funnel against a flat scan of full vectors, in one run, alternating.</summary>
internal static class FunnelBenchmark
{
    public static int Run(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("Found no folder; expected: memory-funnel DATA-FOLDER [ITEMS…], where the folder holds retrieval sets.");
            return 2;
        }

        (float[][] real, float[][] questions) = MemoryData.Embed(arguments[0], 20);
        int[] sizes = arguments.Length > 1 ? [.. arguments[1..].Select(int.Parse)] : [10_000, 100_000, 1_000_000];
        foreach (int size in sizes)
        {
            Measure(real, questions, size);
        }

        return 0;
    }

    private static void Measure(float[][] real, float[][] questions, int size)
    {
        MemoryModel model = new("mini", "mini", [64, 128, 256]);
        VectorFunnel funnel = new(model);
        Random random = new(1);
        float[][] full = new float[size][];
        sbyte[][] middle = new sbyte[size][];
        float[] scales = new float[size];
        for (int i = 0; i < size; i++)
        {
            full[i] = MemoryData.Vector(real, i, random);
            middle[i] = new sbyte[funnel.RetrieveLength];
            scales[i] = Quantization.ToInt8(full[i].AsSpan(0, middle[i].Length), middle[i]);
            funnel.Add(i, 0, 0, full[i]);
        }

        void ReadBytes(ReadOnlySpan<int> keys, Span<sbyte> rows, Span<float> rowScales)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                middle[keys[i]].CopyTo(rows[(i * funnel.RetrieveLength)..]);
                rowScales[i] = scales[keys[i]];
            }
        }

        void ReadFull(ReadOnlySpan<int> keys, Span<float> rows)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                full[keys[i]].CopyTo(rows[(i * funnel.FullLength)..]);
            }
        }

        FunnelWidths widths = FunnelWidths.For(size, 10);
        VectorFunnel.Fence fence = new([0], 0, uint.MaxValue, null);
        List<double> funnelTimes = [], flatTimes = [];
        List<StageWidth> passed = [];
        int kept = 0;
        StageRanks ranks = new();
        foreach (float[] question in questions)
        {
            long start = Stopwatch.GetTimestamp();
            TopScored flat = new(10);
            for (int i = 0; i < size; i++)
            {
                flat.Offer(TensorPrimitives.Dot<float>(question, full[i]), i);
            }

            HashSet<int> exact = [.. flat.BestFirst().Select(scored => scored.Slot)];
            flatTimes.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            passed.Clear();
            start = Stopwatch.GetTimestamp();
            List<VectorFunnel.Found> found = funnel.Search(question, 10, widths, fence, ReadBytes, ReadFull, passed, default);
            funnelTimes.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            kept += found.Count(item => exact.Contains(item.Slot));
            List<Scored> near = funnel.ScanSigns(question, size, fence, [], default);
            ranks.Add("signs", near, exact);
            near = [.. near.OrderByDescending(scored => scored.Score).Take(Math.Max(widths.Signs, size / 5))];
            List<Scored> routed = funnel.ScanRoute(question, near, 2 * widths.Route, default);
            ranks.Add("route", routed, exact);
            ranks.Add("retrieve", funnel.Rescore(question, routed, 2 * widths.Retrieve, ReadBytes), exact);
        }

        funnelTimes.Sort();
        flatTimes.Sort();
        Console.WriteLine(
            $"{{\"items\":{size},\"real\":{Math.Min(size, real.Length)},\"questions\":{questions.Length},\"recall10\":{kept / (10.0 * questions.Length):F4}," +
            $"\"funnel_ms_min\":{funnelTimes[0]:F2},\"funnel_ms_p50\":{funnelTimes[funnelTimes.Count / 2]:F2},\"flat_256_ms_min\":{flatTimes[0]:F2},\"flat_256_ms_p50\":{flatTimes[flatTimes.Count / 2]:F2}," +
            $"\"rank_of_99_percent\":\"{ranks}\",\"bytes_an_item\":{funnel.BytesPerSlot},\"widths\":\"{string.Join(" ", passed.Select(width => $"{width.Stage} {width.Items}"))}\"}}");
    }
}
