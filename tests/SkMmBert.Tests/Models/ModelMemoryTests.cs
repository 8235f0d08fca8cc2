using System.Globalization;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Memory of the process while and after texts of very different lengths go through a model with the default budget.</summary>
[Collection("Alone")]
public sealed class ModelMemoryTests
{
    [Theory]
    [InlineData(ModelPrecision.Fp32)]
    [InlineData(ModelPrecision.Int8)]
    public async Task GenerateAsync_TextsOfOneTo4000Tokens_PeakIsBoundedAndALongTextsMemoryReturns(ModelPrecision precision)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/status.");
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options with { Precision = precision });
        MmBertEmbeddingGenerator generator = new(model, new EmbeddingOptions { Dimensions = 64, Streams = 2 });
        Random random = new(5);
        string[] texts = [.. Enumerable.Range(0, 60).Select(i => string.Concat(Enumerable.Repeat("and ", i == 0 ? 3_900 : (int)Math.Exp(random.NextDouble() * Math.Log(2_000)))))];
        Collect();
        long before = Kilobytes("RssAnon");
        File.WriteAllText("/proc/self/clear_refs", "5");   // the peak counts from here
        GeneratedEmbeddings<Embedding<float>> vectors = await generator.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        long peak = Kilobytes("VmHWM") - Kilobytes("RssFile") - before;
        Collect();
        long resting = Kilobytes("RssAnon");   // what the runtime keeps of ordinary batches, once
        for (int again = 0; again < 3; again++)
        {
            await generator.GenerateAsync(texts[..1], cancellationToken: TestContext.Current.CancellationToken);
        }

        Collect();
        long kept = Kilobytes("RssAnon") - resting;
        TestContext.Current.TestOutputHelper?.WriteLine($"{precision}: {vectors.Usage!.InputTokenCount} tokens, {peak / 1024} MB more at the peak, {(resting - before) / 1024} MB afterwards, {kept / 1024} MB more after three long texts");
        Assert.True(peak < 384 * 1024, $"{peak:N0} KiB more at the peak");
        Assert.True(kept < 48 * 1024, $"{kept:N0} KiB more after long texts");
    }

    private static void Collect() => GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static long Kilobytes(string field) => long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
