using Xunit;

namespace SkMmBert.Cli.Tests;

/// <summary>What <c>bench</c> compares with computes the same vectors: a slow graph that did something else would prove nothing.</summary>
public sealed class PlainExportTests
{
    public static TheoryData<string> Folders => [Paths.MiniEmbed, Paths.MiniRerank, Path.Combine(Paths.Goldens, "tiny-bert-2d", "model"), Path.Combine(Paths.Goldens, "tiny-modernbert", "model")];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Run_TextsOfAnyLength_AreOurVectors(string folder)
    {
        using MmBertModel model = MmBertModel.Open(folder);
        using PlainExport plain = PlainExport.Open(folder, threads: 1);
        Random random = new(3);
        int longest = Math.Min(700, model.Manifest.ContextLength);
        int[][] texts = [.. new[] { 2, 17, 64, 130, 300, 700 }.Where(length => length <= longest).Select(length => Ids(random, length, model))];
        foreach (TokenBatch batch in texts.Select(text => TokenBatch.Of(text)).Append(TokenBatch.Of(texts)))
        {
            float[] ours = Pooled(model, batch), theirs = new float[ours.Length];
            StatePooling.Pool(plain.Run(batch), batch.Lengths, model.Manifest.Pooling, [], model.Config.NormEps, theirs);
            Unit(ours, model.Manifest.HiddenSize);
            Unit(theirs, model.Manifest.HiddenSize);
            float most = ours.Zip(theirs, (a, b) => MathF.Abs(a - b)).Max();
            Assert.True(most <= 1e-4f, $"{Path.GetFileName(folder)}, lengths {string.Join(", ", batch.Lengths)}: {most}");
            Assert.True(ours.Max() > 0.05f);
        }
    }

    [Fact]
    public void Dispose_Files_AreGone()
    {
        string[] Files() => Directory.GetDirectories(Path.GetTempPath(), "skmmbert-plain-*");
        string[] before = Files();
        PlainExport plain = PlainExport.Open(Paths.MiniEmbed, threads: 1);
        string[] made = [.. Files().Except(before)];
        Assert.NotEmpty(made);
        plain.Dispose();
        Assert.Contains(made, folder => !Directory.Exists(folder));
    }

    private static int[] Ids(Random random, int length, MmBertModel model) => [.. Enumerable.Range(0, length).Select(_ => random.Next(5, model.Config.VocabSize))];

    private static float[] Pooled(MmBertModel model, TokenBatch batch)
    {
        using LayerState state = model.Run(batch, model.Manifest.Layers, CancellationToken.None);
        float[] pooled = new float[batch.Rows * model.Manifest.HiddenSize];
        model.Pool(state, finalNorm: true, pooled);
        return pooled;
    }

    private static void Unit(float[] vectors, int width)
    {
        for (int start = 0; start < vectors.Length; start += width)
        {
            Span<float> vector = vectors.AsSpan(start, width);
            System.Numerics.Tensors.TensorPrimitives.Divide(vector, System.Numerics.Tensors.TensorPrimitives.Norm<float>(vector), vector);
        }
    }
}
