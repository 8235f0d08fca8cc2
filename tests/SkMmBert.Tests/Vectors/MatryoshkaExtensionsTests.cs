using System.Text.Json;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests;

public sealed class MatryoshkaExtensionsTests
{
    private static float[] Sliced(float[] full, int dimensions)
    {
        float[] vector = full[..dimensions];
        Matryoshka.Normalise(vector);
        return vector;
    }

    [Fact]
    public async Task WithDimensions_NoneOneMany_AreSlicedAndNormalised()
    {
        FakeGenerator inner = new();
        IEmbeddingGenerator<string, Embedding<float>> view = inner.WithDimensions(3);
        Assert.Empty(await view.GenerateAsync([]));
        Assert.Equal(0, inner.Calls);
        Assert.Equal(Sliced(FakeGenerator.Vector("a"), 3), (await view.GenerateVectorAsync("a")).ToArray());
        GeneratedEmbeddings<Embedding<float>> many = await view.GenerateAsync(["b", "a", "b", "c"]);
        Assert.Equal(["b", "a", "b", "c"], many.Select(e => (string)e.AdditionalProperties!["text"]!));
        Assert.All(many, e => Assert.Equal(3, e.Vector.Length));
        Assert.All(many, e => Assert.Equal("fake-1", e.ModelId));
        Assert.Equal(3, inner.Texts); // a, then b and c
        Assert.Equal(2, many.Usage!.InputTokenCount);
        Assert.All(inner.Asked, options => Assert.Null(options?.Dimensions));
    }

    [Fact]
    public async Task WithDimensions_ThreeViewsOfOneModel_CostOneForwardPass()
    {
        LetterModel model = new();
        MmBertEmbeddingGenerator generator = model.Generator();
        IEmbeddingGenerator<string, Embedding<float>>[] views = [generator.WithDimensions(64), generator.WithDimensions(128), generator.WithDimensions(256)];
        string[] texts = ["one", "two", "three"];
        GeneratedEmbeddings<Embedding<float>>[] found = await Task.WhenAll(views.Select(view => view.GenerateAsync(texts)));
        Assert.Equal(3, model.Rows);
        for (int v = 0; v < views.Length; v++)
        {
            GeneratedEmbeddings<Embedding<float>> direct = await generator.GenerateAsync(texts, new() { Dimensions = 64 << v });
            Assert.All(direct.Zip(found[v]), pair => Assert.InRange(Similarity.Dot(pair.First.Vector.Span, pair.Second.Vector.Span), 0.99999f, 1.00001f));
            Assert.Equal(64 << v, views[v].GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
        }
    }

    [Fact]
    public async Task WithDimensions_ViewOfAView_SharesItsPasses()
    {
        FakeGenerator inner = new();
        IEmbeddingGenerator<string, Embedding<float>> three = inner.WithDimensions(3), five = three.WithDimensions(5);
        await three.GenerateAsync(["a", "b"]);
        Assert.Equal(Sliced(FakeGenerator.Vector("b"), 5), (await five.GenerateVectorAsync("b")).ToArray());
        Assert.Equal(1, inner.Calls);
    }

    [Fact]
    public async Task WithDimensions_GeneratorWithFewerByDefault_IsAskedAtFullWidth()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator(new() { Dimensions = 64 });
        Assert.Equal(256, (await generator.WithDimensions(256).GenerateVectorAsync("full")).Length);
    }

    [Fact]
    public void WithDimensions_ImpossibleOrUntrained_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FakeGenerator().WithDimensions(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FakeGenerator().WithDimensions(9));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LetterModel().Generator().WithDimensions(100));
        Assert.Throws<ArgumentNullException>(() => ((IEmbeddingGenerator<string, Embedding<float>>)null!).WithDimensions(3));
        Assert.NotNull(new LetterModel().Generator(new() { AllowUntrainedDimensions = true }).WithDimensions(100));
    }

    [Fact]
    public async Task WithDimensions_RequestForOthers_IsRefused()
    {
        IEmbeddingGenerator<string, Embedding<float>> view = new FakeGenerator().WithDimensions(3);
        await Assert.ThrowsAsync<ArgumentException>(() => view.GenerateAsync(["a"], new() { Dimensions = 4 }));
        Assert.Single(await view.GenerateAsync(["a"], new() { Dimensions = 3 }));
    }

    [Fact]
    public async Task WithDimensions_NullText_NamesItsIndex()
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => new FakeGenerator().WithDimensions(3).GenerateAsync(["a", "b", null!]));
        Assert.Contains("index 2", error.Message);
    }

    [Fact]
    public async Task WithDimensions_InnerFails_IsNotRemembered()
    {
        FakeGenerator inner = new() { Fail = new InvalidOperationException("no") };
        IEmbeddingGenerator<string, Embedding<float>> view = inner.WithDimensions(3);
        await Assert.ThrowsAsync<InvalidOperationException>(() => view.GenerateAsync(["a"]));
        inner.Fail = null;
        Assert.Single(await view.GenerateAsync(["a"]));
    }

    [Fact]
    public async Task WithDimensions_LeaderCancelled_OthersStillGetTheirVectors()
    {
        TaskCompletionSource started = new();
        using CancellationTokenSource stop = new();
        FakeGenerator inner = new();
        inner.Before = async token =>
        {
            if (started.TrySetResult())
            {
                await Task.Delay(Timeout.Infinite, token);
            }
        };
        IEmbeddingGenerator<string, Embedding<float>> three = inner.WithDimensions(3), five = three.WithDimensions(5);
        Task leader = three.GenerateAsync(["a"], null, stop.Token);
        await started.Task;
        Task<ReadOnlyMemory<float>> follower = five.GenerateVectorAsync("a");
        Assert.False(follower.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Assert.Equal(5, (await follower).Length);
    }

    [Fact]
    public async Task WithDimensions_MoreTextsThanTheMemoHolds_ForgetsTheOldest()
    {
        FakeGenerator inner = new();
        VectorMemo memo = new(capacity: 5_000);
        MatryoshkaView view = new(inner, memo, 3, null);
        await view.GenerateAsync(Enumerable.Range(0, 100).Select(i => "text " + i));
        await view.GenerateAsync(["text 99"]);
        Assert.Equal(100, inner.Texts);
        await view.GenerateAsync(["text 0"]);
        Assert.Equal(101, inner.Texts);
    }

    [Fact]
    public async Task WithDimensions_OptionsTheKeyDoesNotKnow_AreNotRemembered()
    {
        FakeGenerator inner = new();
        IEmbeddingGenerator<string, Embedding<float>> view = inner.WithDimensions(3);
        EmbeddingGenerationOptions options = new() { AdditionalProperties = new() { ["kind"] = "query" } };
        await view.GenerateAsync(["a"], options);
        await view.GenerateAsync(["a"], options);
        Assert.Equal(2, inner.Calls);
    }

    [Fact]
    public async Task WithExit_View_AsksForItAndKeepsExitsApart()
    {
        LetterModel model = new();
        MmBertEmbeddingGenerator generator = model.Generator();
        IEmbeddingGenerator<string, Embedding<float>> early = generator.WithExit(3);
        Assert.Equal((await generator.GenerateVectorAsync("x", new EmbeddingGenerationOptions().WithExit(3))).ToArray(), (await early.GenerateVectorAsync("x")).ToArray());
        float[] earlyShort = (await early.WithDimensions(64).GenerateVectorAsync("x")).ToArray();
        float[] lateShort = (await generator.WithDimensions(64).GenerateVectorAsync("x")).ToArray();
        Assert.InRange(Similarity.Dot((await generator.GenerateVectorAsync("x", new EmbeddingGenerationOptions { Dimensions = 64 }.WithExit(3))).Span, earlyShort), 0.99999f, 1.00001f);
        Assert.NotEqual(earlyShort, lateShort);
        await Assert.ThrowsAsync<ArgumentException>(() => early.GenerateAsync(["x"], new EmbeddingGenerationOptions().WithExit(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => generator.WithExit(2));
    }

    [Fact]
    public void GetExit_Numbers_AreReadAndOthersRefused()
    {
        Assert.Null(new EmbeddingGenerationOptions().GetExit());
        Assert.Equal(3, With(3L).GetExit());
        Assert.Equal(3, With(JsonDocument.Parse("3").RootElement).GetExit());
        Assert.Throws<ArgumentException>(() => With("3").GetExit());
        Assert.Throws<ArgumentException>(() => With(JsonDocument.Parse("3.5").RootElement).GetExit());
        Assert.Throws<ArgumentOutOfRangeException>(() => new EmbeddingGenerationOptions().WithExit(0));

        static EmbeddingGenerationOptions With(object value) => new() { AdditionalProperties = new() { ["mmbert.exit"] = value } };
    }

    [Fact]
    public void GetFingerprint_Views_DifferFromEachOtherAndTheInner()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator();
        string[] fingerprints = [generator.GetFingerprint(), generator.WithDimensions(64).GetFingerprint(), generator.WithDimensions(128).GetFingerprint(), generator.WithExit(3).GetFingerprint(), new FakeGenerator().GetFingerprint()];
        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
        Assert.Equal("fake/fake-1/8", fingerprints[^1]);
    }

    [Fact]
    public void Dispose_View_LeavesTheInnerOpen()
    {
        FakeGenerator inner = new();
        inner.WithDimensions(3).Dispose();
        Assert.False(inner.Disposed);
    }

    private sealed class FakeGenerator : IEmbeddingGenerator<string, Embedding<float>>
    {
        public int Calls;
        public int Texts;

        public List<EmbeddingGenerationOptions?> Asked { get; } = [];

        public bool Disposed { get; private set; }

        public Exception? Fail { get; set; }

        public Func<CancellationToken, Task>? Before { get; set; }

        public static float[] Vector(string text) => [.. Enumerable.Range(1, 8).Select(i => MathF.Sin(i * (text[^1] + text.Length)))];

        public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref Calls);
            Asked.Add(options);
            await (Before?.Invoke(cancellationToken) ?? Task.CompletedTask);
            if (Fail is not null)
            {
                throw Fail;
            }

            GeneratedEmbeddings<Embedding<float>> found = [.. values.Select(text => new Embedding<float>(Vector(text)) { ModelId = "fake-1", AdditionalProperties = new() { ["text"] = text } })];
            Interlocked.Add(ref Texts, found.Count);
            found.Usage = new() { InputTokenCount = found.Count, TotalTokenCount = found.Count };
            return found;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceKey is null && serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("fake", null, "fake-1", 8) : null;

        public void Dispose() => Disposed = true;
    }
}
