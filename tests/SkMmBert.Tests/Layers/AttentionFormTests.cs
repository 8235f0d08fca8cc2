using Xunit;

namespace SkMmBert.Tests;

/// <summary>The two forms of attention in the graphs: the runtime's operators, which any processor has, and our own.</summary>
public sealed class AttentionFormTests
{
    [Theory]
    [InlineData(ModelPrecision.Int8, 0)]
    [InlineData(ModelPrecision.Fp32, 1e-5)]
    public void Run_TextsOfAnyLengthsWithOurOperators_AreAsAlone(ModelPrecision precision, double tolerance)
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options with { Precision = precision });
        Assert.SkipUnless(EncoderSession.Form(model.Device, standard: false) == AttentionForm.Own, "This processor lacks the instructions of our operators.");
        Random random = new(3);
        int[][] texts = [.. new[] { 2, 700, 3, 33, 299, 12, 61, 2, 128 }.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(5, 3_000)).ToArray())];
        List<int[]> plan = model.Plan([.. texts.Select(text => text.Length)], 4_096);
        Assert.Equal(texts.Length, Assert.Single(plan).Length);
        using LayerState together = model.Run(TokenBatch.Of([.. plan[0].Select(i => texts[i])]), 6, default);
        int at = 0;
        foreach (int i in plan[0])
        {
            using LayerState alone = model.Run(TokenBatch.Of(texts[i]), 6, default);
            ReadOnlySpan<float> states = together.Hidden.Slice(at, alone.Hidden.Length);
            at += states.Length;
            for (int j = 0; j < states.Length; j++)
            {
                Assert.True(Math.Abs(states[j] - alone.Hidden[j]) <= tolerance * Math.Max(1, Math.Abs(alone.Hidden[j])), $"text of {texts[i].Length} tokens, value {j}: {states[j]} beside others, {alone.Hidden[j]} alone");
            }
        }
    }

    [Fact]
    public void Form_Processor_IsOurOwnWhereItCanRun()
    {
        Assert.Equal(AttentionKernel.IsSupported, OwnOperators.IsAvailable);   // the runtime of this process knows the interface
        Assert.Equal(OwnOperators.IsAvailable ? AttentionForm.Own : AttentionForm.Standard, EncoderSession.Form(ModelDevice.Cpu, standard: false));
        Assert.Equal(AttentionForm.Standard, EncoderSession.Form(ModelDevice.Cpu, standard: true));
        Assert.Equal(AttentionForm.Standard, EncoderSession.Form(ModelDevice.Cuda(), standard: false));
    }

    [Theory]
    [InlineData("tiny-modernbert")]
    [InlineData("tiny-bert-2d")]
    public void Run_EveryText_FormsAgree(string golden)
    {
        string folder = Path.Combine(Paths.Goldens, golden, "model");
        using MmBertModel standard = MmBertModel.Open(folder, Goldens.Options with { StandardAttention = true }), own = MmBertModel.Open(folder, Goldens.Options);
        foreach (int[] text in Goldens.Texts(golden))
        {
            AssertNear(5e-5, standard, own, TokenBatch.Of(text));
        }

        AssertNear(5e-5, standard, own, TokenBatch.Of([.. Goldens.Texts(golden).Where(text => text.Length <= 200)]));
    }

    [Theory]
    [InlineData(new[] { 2 })]
    [InlineData(new[] { 7, 300, 64, 65, 66, 2, 129 })]
    [InlineData(new[] { 1_000 })]
    [InlineData(new[] { 513, 513 })]
    public void Run_MiniModel_FormsAgree(int[] lengths)
    {
        TokenBatch batch = TokenBatch.Of([.. lengths.Select(Ids)]);
        using MmBertModel standard = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options with { StandardAttention = true }), own = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options);
        AssertNear(5e-5, standard, own, batch);
    }

    [Fact]
    public void Run_MiniModelInt8_FormsAgreeAsFarAsRoundingGoes()
    {
        TokenBatch batch = TokenBatch.Of(Ids(700));
        ModelOptions options = Goldens.Options with { Precision = ModelPrecision.Int8 };
        using MmBertModel standard = MmBertModel.Open(Paths.MiniEmbed, options with { StandardAttention = true }), own = MmBertModel.Open(Paths.MiniEmbed, options);
        using LayerState a = standard.Run(batch, standard.Manifest.Layers, default), b = own.Run(batch, own.Manifest.Layers, default);
        float[] left = new float[standard.Manifest.HiddenSize], right = new float[left.Length];
        standard.Pool(a, true, left);
        own.Pool(b, true, right);
        float cosine = System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(left, right);
        Assert.True(cosine >= 0.9995f, $"{cosine}");
    }

    [Theory]
    [InlineData(ModelPrecision.Fp32)]
    [InlineData(ModelPrecision.Int8)]
    public void Run_TwoThreads_AgreesWithOneThread(ModelPrecision precision)
    {
        TokenBatch batch = TokenBatch.Of(Ids(900), Ids(900));
        ModelOptions options = Goldens.Options with { Precision = precision };
        using MmBertModel one = MmBertModel.Open(Paths.MiniEmbed, options with { Threads = 1 }), two = MmBertModel.Open(Paths.MiniEmbed, options with { Threads = 2 });
        using LayerState a = one.Run(batch, 1, default), b = two.Run(batch, 1, default);
        Assert.True(Goldens.MaxDifference(a.Hidden, b.Hidden) <= 1e-5);   // the runtime's products may be cut differently
        int half = a.Hidden.Length / 2;
        Assert.True(a.Hidden[..half].SequenceEqual(a.Hidden[half..]), "two texts of the same ids differ");
    }

    private static void AssertNear(double tolerance, MmBertModel standard, MmBertModel own, TokenBatch batch)
    {
        using LayerState a = standard.Run(batch, standard.Manifest.Layers, default), b = own.Run(batch, own.Manifest.Layers, default);
        double worst = Goldens.MaxDifference(b.Hidden, a.Hidden);
        Assert.True(worst <= tolerance, $"lengths {string.Join(' ', batch.Lengths)}: {worst:E1}");
    }

    private static int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(i => i == 0 ? 2 : i == length - 1 ? 1 : 300 + (i * 7 % 5_000))];
}
