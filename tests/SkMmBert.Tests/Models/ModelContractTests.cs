using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Which norm a vector has gone through: the checkpoint's contract, else the default, and the caller's choice before both.</summary>
public sealed class ModelContractTests
{
    [Theory]
    [InlineData(null, null, ExitNorm.FinalNorm)]
    [InlineData("none", null, ExitNorm.Raw)]
    [InlineData("final_norm", null, ExitNorm.FinalNorm)]
    [InlineData("none", ExitNorm.FinalNorm, ExitNorm.FinalNorm)]
    [InlineData("final_norm", ExitNorm.Raw, ExitNorm.Raw)]
    [InlineData(null, ExitNorm.Raw, ExitNorm.Raw)]
    public async Task GenerateAsync_ContractAndChoice_VectorsEqualReferenceOfThatConvention(string? contract, ExitNorm? chosen, ExitNorm expected)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        if (contract is not null)
        {
            ModelFolders.SetContract(folder.File("config.json"), contract);
        }

        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options with { ExitNorm = chosen });
        Assert.Equal(expected, model.Manifest.ExitNorm);
        await AssertVectors(model, 3, expected == ExitNorm.FinalNorm ? "norm" : "raw");
        await AssertVectors(model, 7, "norm");   // at the last exit every convention of an embedder norms
    }

    [Fact]
    public void Open_ContractOfAnotherVersion_IsRefusedByName()
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        ModelFolders.SetContract(folder.File("config.json"), "none");
        File.WriteAllText(folder.File("config.json"), File.ReadAllText(folder.File("config.json")).Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal));
        Assert.Contains("representation_contract.version", Assert.Throws<InvalidDataException>(() => MmBertModel.Open(folder.Path, Goldens.Options)).Message);
    }

    [Fact]
    public void Open_AsGraphForWeights_IsRefused() =>
        Assert.Contains("published ONNX", Assert.Throws<InvalidDataException>(() => MmBertModel.Open(ModelFolders.Tiny, Goldens.Options with { ExitNorm = ExitNorm.AsGraph })).Message);

    [Fact]
    public async Task GenerateAsync_BertFolder_AnyExitAndDimensionEqualsReference()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.TinyBert, Goldens.Options);
        using SafetensorsFile golden = Goldens.Tensors("tiny-bert-2d", "golden.safetensors");
        string[] texts = Texts("tiny-bert-2d");
        for (int exit = 1; exit <= 8; exit++)
        {
            foreach (int size in new[] { 64, 16 })
            {
                MmBertEmbeddingGenerator generator = new(model, new() { Exit = exit, Dimensions = size, AllowUntrainedExits = true, AllowUntrainedDimensions = true });
                GeneratedEmbeddings<Embedding<float>> vectors = await generator.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
                float[] expected = golden.Read($"vector.{exit}.{size}");
                for (int text = 0; text < texts.Length; text++)
                {
                    Assert.True(Goldens.MaxDifference(vectors[text].Vector.Span, expected.AsSpan(text * size, size)) <= 1e-5, $"exit {exit}, {size} dimensions, text {text}");
                }
            }
        }
    }

    // aegis-embed: the embedder's files as sentence-transformers writes them, without any ONNX.
    [Fact]
    public async Task Open_FolderOfTheEmbeddersTwin_RunsLikeAnyHuggingFaceFolder()
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        Directory.CreateDirectory(folder.File("2_Normalize"));
        File.WriteAllText(folder.File("modules.json"), """[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]""");
        File.WriteAllText(folder.File("README.md"), "---\nlibrary_name: sentence-transformers\n---\n");
        Assert.False(Directory.Exists(folder.File("onnx")));
        using MmBertModel model = MmBertModel.Open(folder.Path, Goldens.Options);
        Assert.Equal((false, ModelPooling.Mean, ExitNorm.FinalNorm), (model.Manifest.IsPublishedOnnx, model.Manifest.Pooling, model.Manifest.ExitNorm));
        await AssertVectors(model, 3, "norm");
        await AssertVectors(model, 7, "norm");
    }

    private static async Task AssertVectors(MmBertModel model, int exit, string convention)
    {
        using SafetensorsFile golden = Goldens.Tensors("tiny-modernbert", "pooled.safetensors");
        float[] expected = golden.Read($"vector.{exit}.{convention}.96");
        string[] texts = Texts("tiny-modernbert");
        MmBertEmbeddingGenerator generator = new(model, new() { Exit = exit, AllowUntrainedExits = true });
        GeneratedEmbeddings<Embedding<float>> vectors = await generator.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        for (int text = 0; text < texts.Length; text++)
        {
            Assert.True(Goldens.MaxDifference(vectors[text].Vector.Span, expected.AsSpan(text * 96, 96)) <= 1e-5, $"exit {exit}, text {text}");
        }
    }

    private static string[] Texts(string folder) => [.. Goldens.Json(folder, "cases.json").GetProperty("texts").EnumerateArray().Select(text => text.GetProperty("text").GetString()!)];
}
