using Xunit;

namespace SkMmBert.Tests;

/// <summary>Folders with published ONNX graphs, from three exporters and in two precisions, against the goldens of the model they were exported from.</summary>
public sealed class PublishedOnnxTests(PublishedExports exports) : IClassFixture<PublishedExports>
{
    [Theory]
    [InlineData("onnx", 3, "raw", 3e-5)]
    [InlineData("onnx", 5, "raw", 3e-5)]
    [InlineData("onnx", 7, "raw", 3e-5)]
    [InlineData("onnx-fp16", 3, "raw", 3e-2)]
    [InlineData("onnx-fp16", 5, "raw", 3e-2)]
    [InlineData("onnx-fp16", 7, "raw", 3e-2)]
    [InlineData("onnx-normed", 7, "norm", 3e-5)]
    [InlineData("onnx-torchscript", 5, "raw", 3e-5)]
    public void Run_EveryExport_VectorsEqualReferenceAloneAndPadded(string export, int exit, string convention, double tolerance)
    {
        using TemporaryFolder folder = exports.Folder(export);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal(ExitNorm.AsGraph, model.Manifest.ExitNorm);
        AssertEqualsReference(model, exit, convention, finalNorm: exit == 7, tolerance);   // as a generator asks: the norm at the last exit
    }

    [Theory]
    [InlineData("onnx", new int[0])]
    [InlineData("onnx-fp16", new int[0])]
    [InlineData("onnx-normed", new[] { 7 })]
    [InlineData("onnx-torchscript", new int[0])]
    public void Manifest_EveryExport_SaysWhichExitsTheGraphNorms(string export, int[] normed)
    {
        using TemporaryFolder folder = exports.Folder(export);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal(normed, model.Manifest.NormedExits);
        Assert.True(model.Manifest.IsPublishedOnnx);
        Assert.Equal((7, 96, ModelPooling.Mean), (model.Manifest.Layers, model.Manifest.HiddenSize, model.Manifest.Pooling));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(0)]
    public void Run_LayerThatIsNotThere_ListsThoseThatAre(int exit)
    {
        using TemporaryFolder folder = exports.Folder();
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal([3, 5, 7], model.Manifest.Exits);
        string message = Assert.Throws<ArgumentException>(() => model.Run(TokenBatch.Of([2, 1]), exit, default)).Message;
        Assert.Contains($"Exit {exit}", message);
        Assert.Contains("3, 5, 7", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Run_ListedLayerWasNotDownloaded_IsNeverReplaced()
    {
        using TemporaryFolder folder = exports.Folder();
        Directory.Delete(folder.File("onnx/layer-5"), true);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Contains("3, 7", Assert.Throws<ArgumentException>(() => model.Run(TokenBatch.Of([2, 1]), 5, default)).Message);
    }

    [Fact]
    public void Open_FinalNormWithWeightsBeside_NormsEveryExit()
    {
        using TemporaryFolder folder = exports.Folder();
        File.Copy(Path.Combine(ModelFolders.Tiny, "model.safetensors"), folder.File("model.safetensors"));
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options with { UsePublishedOnnx = true, ExitNorm = ExitNorm.FinalNorm });
        foreach (int exit in new[] { 3, 5, 7 })
        {
            AssertEqualsReference(model, exit, "norm", finalNorm: true, 3e-5);
        }
    }

    [Fact]
    public void Open_FinalNormWithNormedLastGraph_TakesTheScaleFromIt()
    {
        using TemporaryFolder folder = exports.Folder();
        exports.Add(folder, "onnx-normed", 7);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options with { ExitNorm = ExitNorm.FinalNorm });
        foreach (int exit in new[] { 3, 5, 7 })
        {
            AssertEqualsReference(model, exit, "norm", finalNorm: true, 3e-5);   // at 7 the graph's own norm, not twice
        }
    }

    [Fact]
    public void Open_RawConvention_NormsOnlyTheLastExit()
    {
        using TemporaryFolder folder = exports.Folder();
        exports.Add(folder, "onnx-normed", 7);
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options with { ExitNorm = ExitNorm.Raw });
        AssertEqualsReference(model, 3, "raw", finalNorm: false, 3e-5);
        AssertEqualsReference(model, 7, "norm", finalNorm: true, 3e-5);
    }

    [Fact]
    public void Open_NormThatCannotBeHad_SaysSo()
    {
        using TemporaryFolder folder = exports.Folder();
        string message = Assert.Throws<InvalidDataException>(() => MmBertModel.Open(folder.Path, Goldens.Options with { ExitNorm = ExitNorm.FinalNorm })).Message;
        Assert.Contains("final_norm.weight", message);
        Assert.Contains("AsGraph", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_Contract_IsHonouredOnPublishedGraphs()
    {
        using TemporaryFolder folder = exports.Folder();
        exports.Add(folder, "onnx-normed", 7);
        ModelFolders.SetContract(folder.File("onnx/config.json"), "final_norm");
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal(ExitNorm.FinalNorm, model.Manifest.ExitNorm);
        AssertEqualsReference(model, 3, "norm", finalNorm: true, 3e-5);
    }

    [Fact]
    public void Open_WeightsAndGraphs_WeightsWinUnlessAsked()
    {
        using TemporaryFolder folder = exports.Folder();
        foreach (string file in new[] { "model.safetensors", "config.json", "tokenizer.json" })
        {
            File.Copy(Path.Combine(ModelFolders.Tiny, file), folder.File(file));
        }

        using MmBertModel weights = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.False(weights.Manifest.IsPublishedOnnx);
        using MmBertModel graphs = MmBertModel.Open(folder.Path, Goldens.Options with { UsePublishedOnnx = true });
        Assert.True(graphs.Manifest.IsPublishedOnnx);
        Assert.NotEqual(weights.Manifest.Fingerprint, graphs.Manifest.Fingerprint);
    }

    [Fact]
    public void Open_OnnxFolderItself_IsTheSameModel()
    {
        using TemporaryFolder folder = exports.Folder();
        using MmBertModel model = MmBertModel.Open(folder.File("onnx"), Goldens.Options);
        AssertEqualsReference(model, 5, "raw", finalNorm: false, 3e-5);
    }

    [Fact]
    public void Open_NoConfigFile_SizesComeFromTheListing()
    {
        using TemporaryFolder folder = exports.Folder();
        File.Delete(folder.File("onnx/config.json"));
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal(("onnx", 7, 96), (model.Manifest.Architecture, model.Manifest.Layers, model.Manifest.HiddenSize));
        Assert.Equal([96, 64, 32, 16, 8], model.Manifest.Dimensions);
        AssertEqualsReference(model, 5, "raw", finalNorm: false, 3e-5);
    }

    [Fact]
    public void ContinueAndSelect_PublishedGraphs_RunTheTextsAgain()
    {
        using TemporaryFolder folder = exports.Folder();
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        int[][] texts = Goldens.Texts("tiny-modernbert");
        using LayerState all = model.Run(TokenBatch.Of(texts[2], texts[4], texts[9]), 3, default);
        using LayerState some = model.Select(all, [2, 0]);
        using LayerState end = model.Continue(some, 7, default);
        Assert.Equal([texts[9].Length, texts[2].Length], end.Lengths);
        float[] pooled = new float[2 * 96];
        model.Pool(end, false, pooled);
        Assert.True(Goldens.MaxDifference(pooled, [.. Pool(model, [texts[9]], 7, false), .. Pool(model, [texts[2]], 7, false)]) <= 1e-5);
    }

    [Theory]
    [InlineData("onnx/layer-5/model.onnx.data", "is not there")]
    [InlineData("onnx/model_config.json", null)]
    [InlineData("onnx/tokenizer.json", "tokenizer.json")]
    public void Open_FileMissing_IsNamed(string file, string? message)
    {
        using TemporaryFolder folder = exports.Folder();
        File.Delete(folder.File(file));
        Exception? error = Record.Exception(() => MmBertModel.Open(folder.Path, Goldens.Options).Dispose());
        Assert.Equal(message is null, error is null);
        Assert.True(message is null || (error!.Message.Contains(message) && error.Message.Contains(Path.GetFileName(file)) && !error.Message.Contains('\n')), error?.Message);
    }

    [Theory]
    [InlineData("onnx/layer-5/model.onnx.data", 1_000)]
    [InlineData("onnx/layer-5/model.onnx", 20_000)]
    [InlineData("onnx/layer-5/model.onnx", 0)]
    public void Open_FileCut_IsNamed(string file, int length)
    {
        using TemporaryFolder folder = exports.Folder();
        using (FileStream stream = File.OpenWrite(folder.File(file)))
        {
            stream.SetLength(length);
        }

        string message = Assert.Throws<InvalidDataException>(() => MmBertModel.Open(folder.Path, Goldens.Options)).Message;
        Assert.Contains(Path.GetFileName(file), message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_Int8_IsRefused()
    {
        using TemporaryFolder folder = exports.Folder();
        Assert.Contains("precision they were exported in", Assert.Throws<InvalidDataException>(() => MmBertModel.Open(folder.Path, Goldens.Options with { Precision = ModelPrecision.Int8 })).Message);
    }

    [Fact]
    public async Task GenerateAsync_PublishedGraphs_VectorsEqualReference()
    {
        using TemporaryFolder folder = exports.Folder();
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        MmBertEmbeddingGenerator generator = new(model);
        string[] texts = [.. Goldens.Json("tiny-modernbert", "cases.json").GetProperty("texts").EnumerateArray().Where(text => text.TryGetProperty("text", out _)).Select(text => text.GetProperty("text").GetString()!)];
        Assert.NotEmpty(texts);
        var vectors = await generator.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        int[][] ids = Goldens.Texts("tiny-modernbert");
        for (int text = 0; text < texts.Length; text++)
        {
            Assert.True(Goldens.MaxDifference(vectors[text].Vector.Span, Goldens.Unit(Pool(model, [ids[text]], 7, false), 96)) <= 1e-5);
        }
    }

    private static void AssertEqualsReference(MmBertModel model, int exit, string convention, bool finalNorm, double tolerance)
    {
        using SafetensorsFile golden = Goldens.Tensors("tiny-modernbert", "pooled.safetensors");
        int[][] texts = Goldens.Texts("tiny-modernbert");
        float[] expected = golden.Read($"pooled.{exit}.{convention}");
        for (int text = 0; text < texts.Length; text++)
        {
            double apart = Goldens.MaxDifference(Pool(model, [texts[text]], exit, finalNorm), expected.AsSpan(text * 96, 96));
            Assert.True(apart <= tolerance, $"exit {exit}, text {text}: {apart:E1}");
        }

        double padded = Goldens.MaxDifference(Pool(model, [.. texts.Take(6)], exit, finalNorm), expected.AsSpan(0, 6 * 96));
        Assert.True(padded <= tolerance, $"exit {exit}, padded batch: {padded:E1}");
    }

    private static float[] Pool(MmBertModel model, int[][] texts, int exit, bool finalNorm)
    {
        using LayerState state = model.Run(TokenBatch.Of(texts), exit, default);
        float[] pooled = new float[texts.Length * model.Manifest.HiddenSize];
        model.Pool(state, finalNorm, pooled);
        return pooled;
    }
}
