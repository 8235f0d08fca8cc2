using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests;

public sealed class MmBertEmbeddingGeneratorTests
{
    private static float[] Expected(string text, int exit = 6, int dimensions = LetterModel.Width)
    {
        float[] vector = new float[dimensions];
        Matryoshka.Shape(LetterModel.Pooled(new LetterTokenizer().Encode(text).Ids, exit), vector, MatryoshkaRecipe.Matryoshka);
        return vector;
    }

    [Fact]
    public async Task GenerateAsync_NoTexts_GivesNothingAndDoesNotRun()
    {
        LetterModel model = new();
        GeneratedEmbeddings<Embedding<float>> none = await model.Generator().GenerateAsync([]);
        Assert.Empty(none);
        Assert.Equal(0, none.Usage!.InputTokenCount);
        Assert.Equal(0, model.Runs);
    }

    [Fact]
    public async Task GenerateAsync_OneText_GivesVectorUsageAndModelId()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator();
        GeneratedEmbeddings<Embedding<float>> one = await generator.GenerateAsync(["tea"]);
        Embedding<float> embedding = Assert.Single(one);
        Assert.Equal(Expected("tea"), embedding.Vector.ToArray());
        Assert.Equal(5, one.Usage!.InputTokenCount);
        Assert.Equal(5, one.Usage.TotalTokenCount);
        Assert.Equal("letters", embedding.ModelId);
        Assert.Equal(5, embedding.GetTokenCount());
        Assert.False(embedding.IsTruncated());
        Assert.Equal(0, one.AdditionalProperties!["mmbert.truncated"]);
    }

    [Fact]
    public async Task GenerateAsync_ManyMixedTexts_KeepsOrderAndBudget()
    {
        LetterModel model = new();
        string[] texts = [.. Enumerable.Range(0, 9_000).Select(i => new string((char)('a' + (i % 26)), i * 7 % 60))];
        GeneratedEmbeddings<Embedding<float>> found = await model.Generator(new() { Dimensions = 64, Streams = 2 }).GenerateAsync(texts);
        Assert.Equal(texts.Length, found.Count);
        Assert.All(Enumerable.Range(0, texts.Length).Where(i => i % 97 == 0), i => Assert.Equal(Expected(texts[i], dimensions: 64), found[i].Vector.ToArray()));
        Assert.Equal(texts.Length, model.Rows);
        Assert.InRange(model.LargestBatch, 1, model.MaxBatchTokens);
        Assert.InRange(model.MostAtOnce, 1, 2);
    }

    [Fact]
    public async Task GenerateAsync_EmptyText_IsBeginAndEnd()
    {
        GeneratedEmbeddings<Embedding<float>> found = await new LetterModel().Generator().GenerateAsync([""]);
        Assert.Equal(Expected(""), found[0].Vector.ToArray());
        Assert.Equal(2, found.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task GenerateAsync_LazyTexts_AreReadOnceAndInWindows()
    {
        int read = 0, readAtFirstRun = 0;
        LetterModel model = new() { OnRun = (_, _) => Interlocked.CompareExchange(ref readAtFirstRun, read, 0) };
        IEnumerable<string> Texts()
        {
            for (; read < 20_000; read++)
            {
                yield return "x";
            }
        }

        GeneratedEmbeddings<Embedding<float>> found = await model.Generator().GenerateAsync(Texts());
        Assert.Equal(20_000, found.Count);
        Assert.Equal(20_000, read);
        Assert.InRange(readAtFirstRun, 1, VectorRuns.WindowTexts);
    }

    [Fact]
    public async Task GenerateAsync_NullText_NamesItsIndex()
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => new LetterModel().Generator().GenerateAsync(["a", null!, "b"]));
        Assert.Contains("index 1", error.Message);
        await Assert.ThrowsAsync<ArgumentNullException>(() => new LetterModel().Generator().GenerateAsync((IEnumerable<string>)null!));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public async Task GenerateAsync_TrainedDimensions_ArePrefixNormalised(int dimensions)
    {
        EmbeddingGenerationOptions options = new() { Dimensions = dimensions };
        GeneratedEmbeddings<Embedding<float>> found = await new LetterModel().Generator().GenerateAsync(["prefix"], options);
        Assert.Equal(Expected("prefix", dimensions: dimensions), found[0].Vector.ToArray());
        Assert.Equal(1, Similarity.Dot(found[0].Vector.Span, found[0].Vector.Span), 1e-5f);
    }

    [Theory]
    [InlineData(100, "256, 128, 64")]
    [InlineData(257, "256, 128, 64")]
    public async Task GenerateAsync_OtherDimensions_AreRefusedWithTheList(int dimensions, string list)
    {
        ArgumentOutOfRangeException error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new LetterModel().Generator().GenerateAsync(["a"], new() { Dimensions = dimensions }));
        Assert.Contains(list, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task GenerateAsync_UntrainedAllowed_TakesThem()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator(new() { AllowUntrainedDimensions = true, AllowUntrainedExits = true });
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 100 }.WithExit(4));
        Assert.Equal(Expected("a", 4, 100), found[0].Vector.ToArray());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => generator.GenerateAsync(["a"], new() { Dimensions = 257 }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => generator.GenerateAsync(["a"], new EmbeddingGenerationOptions().WithExit(7)));
    }

    [Fact]
    public async Task GenerateAsync_NoListsInTheFolder_TakesAnyUpToTheModel()
    {
        LetterModel model = new() { Manifest = new LetterModel().Manifest with { Exits = [], Dimensions = [] } };
        GeneratedEmbeddings<Embedding<float>> found = await model.Generator().GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 7 }.WithExit(2));
        Assert.Equal(Expected("a", 2, 7), found[0].Vector.ToArray());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => model.Generator().GenerateAsync(["a"], new() { Dimensions = 257 }));
    }

    [Fact]
    public async Task GenerateAsync_Exit_IsRunAndOptionsStayAsTheyWere()
    {
        EmbeddingGenerationOptions options = new() { Dimensions = 64 };
        EmbeddingGenerationOptions early = options.WithExit(3);
        GeneratedEmbeddings<Embedding<float>> found = await new LetterModel().Generator().GenerateAsync(["early"], early);
        Assert.Equal(Expected("early", 3, 64), found[0].Vector.ToArray());
        Assert.Null(options.GetExit());
        Assert.Equal(3, early.GetExit());
        Assert.Equal(64, early.Dimensions);
        ArgumentOutOfRangeException error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new LetterModel().Generator().GenerateAsync(["a"], options.WithExit(2)));
        Assert.Contains("1, 3, 6", error.Message);
    }

    [Fact]
    public async Task GenerateAsync_OtherModelId_IsRefusedWithBoth()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator();
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["a"], new() { ModelId = "other" }));
        Assert.Contains("'other'", error.Message);
        Assert.Contains("'letters'", error.Message);
        Assert.Single(await generator.GenerateAsync(["a"], new() { ModelId = "letters" }));
    }

    [Fact]
    public async Task GenerateAsync_CancelledBefore_DoesNotRun()
    {
        LetterModel model = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.Generator().GenerateAsync(["a"], null, new(true)));
        Assert.Equal(0, model.Runs);
    }

    [Fact]
    public async Task GenerateAsync_CancelledInsideARun_StopsThatRunAndTheRest()
    {
        using CancellationTokenSource stop = new();
        LetterModel model = new()
        {
            OnRun = (_, token) =>
            {
                stop.Cancel();
                Assert.True(token.WaitHandle.WaitOne(5_000)); // the run sees it
                token.ThrowIfCancellationRequested();
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.Generator(new() { Streams = 1 }).GenerateAsync(Enumerable.Repeat(new string('a', 60), 500), null, stop.Token));
        Assert.Equal(1, model.Runs);
    }

    [Fact]
    public async Task GenerateAsync_ARunFails_GivesItsErrorAndFreesTheStreams()
    {
        bool fail = true;
        LetterModel model = new() { OnRun = (_, _) => { if (fail) { throw new ObjectDisposedException("letters"); } } };
        MmBertEmbeddingGenerator generator = model.Generator(new() { Streams = 2 });
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(Enumerable.Repeat(new string('a', 60), 500)));
        fail = false;
        Assert.Equal(9, (await generator.GenerateAsync(Enumerable.Repeat("ok", 9))).Count);
    }

    [Fact]
    public async Task GenerateAsync_ManyCallersAtOnce_StayWithinTheStreams()
    {
        LetterModel model = new();
        MmBertEmbeddingGenerator generator = model.Generator(new() { Streams = 2 });
        await Parallel.ForAsync(0, 64, async (i, token) =>
        {
            string text = "caller " + i;
            Assert.Equal(Expected(text), (await generator.GenerateVectorAsync(text, cancellationToken: token)).ToArray());
        });
        Assert.InRange(model.MostAtOnce, 1, 2);
    }

    [Fact]
    public async Task GenerateAsync_LongTextCut_SaysSo()
    {
        string text = new('l', 100);
        GeneratedEmbeddings<Embedding<float>> found = await new LetterModel().Generator().GenerateAsync(["short", text]);
        Assert.True(found[1].IsTruncated());
        Assert.False(found[0].IsTruncated());
        Assert.Equal(64, found[1].GetTokenCount());
        Assert.Equal(1, found.AdditionalProperties!["mmbert.truncated"]);
        Assert.Equal(Expected(text[..62]), found[1].Vector.ToArray());
    }

    [Fact]
    public async Task GenerateAsync_LongTextError_NamesIndexAndLimit()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator(new() { LongTexts = LongTextHandling.Error, MaxTokens = 10 });
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["12345678", "123456789"]));
        Assert.Contains("index 1", error.Message);
        Assert.Contains("10 tokens", error.Message);
        Assert.Single(await generator.GenerateAsync(["12345678"]));
    }

    [Fact]
    public async Task GenerateAsync_LongTextChunked_IsTheMeanByTokens()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator(new() { LongTexts = LongTextHandling.Chunk, MaxTokens = 10 });
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(["abcde fghijklm"]);

        // Eight letters fit beside begin and end; the first cut goes after the white space.
        float[] first = LetterModel.Pooled(new LetterTokenizer().Encode("abcde ").Ids, 6), second = LetterModel.Pooled(new LetterTokenizer().Encode("fghijklm").Ids, 6);
        float[] mean = new float[LetterModel.Width];
        for (int i = 0; i < mean.Length; i++)
        {
            mean[i] = ((first[i] * 8) + (second[i] * 10)) / 18;
        }

        Matryoshka.Normalise(mean);
        Assert.InRange(Similarity.Dot(mean, found[0].Vector.Span), 0.99999f, 1.00001f);
        Assert.Equal(18, found[0].GetTokenCount());
        Assert.False(found[0].IsTruncated());
    }

    [Fact]
    public async Task GenerateAsync_Clock_StampsCreatedAt()
    {
        GeneratedEmbeddings<Embedding<float>> found = await new LetterModel().Generator(new() { Clock = new FixedClock() }).GenerateAsync(["now"]);
        Assert.Equal(FixedClock.Now, found[0].CreatedAt);
    }

    [Fact]
    public void GetService_KnownTypes_AreOffered()
    {
        EmbeddingOptions options = new() { Dimensions = 64 };
        IEmbeddingGenerator generator = new LetterModel().Generator(options);
        EmbeddingGeneratorMetadata metadata = generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.Equal("skmmbert", metadata.ProviderName);
        Assert.Null(metadata.ProviderUri);
        Assert.Equal("letters", metadata.DefaultModelId);
        Assert.Equal(64, metadata.DefaultModelDimensions);
        Assert.Same(generator, generator.GetService<MmBertEmbeddingGenerator>());
        Assert.Same(generator, generator.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Same(options, generator.GetService<EmbeddingOptions>());
        Assert.IsType<LetterTokenizer>(generator.GetService<TextTokenizer>());
        Assert.Equal("letters", generator.GetService<ModelManifest>()!.Id);
        Assert.Null(generator.GetService(typeof(MmBertEmbeddingGenerator), "key"));
        Assert.Null(generator.GetService(typeof(Random)));
        Assert.Throws<ArgumentNullException>(() => generator.GetService(null!));
    }

    [Fact]
    public void Constructor_OptionsThatDoNotFit_AreRefused()
    {
        LetterModel model = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { Dimensions = 65 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { Exit = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { MaxTokens = 2 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { MaxTokens = 65 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { Streams = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { LongTexts = (LongTextHandling)9 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generator(new() { Recipe = (MatryoshkaRecipe)9 }));
        Assert.Throws<ArgumentNullException>(() => new MmBertEmbeddingGenerator((MmBertModel)null!));
    }

    [Fact]
    public void Fingerprint_OptionsThatChangeVectors_ChangeIt()
    {
        LetterModel model = new();
        EmbeddingOptions[] options = [new(), new() { Dimensions = 64 }, new() { Exit = 3 }, new() { MaxTokens = 32 }, new() { Recipe = MatryoshkaRecipe.LayerNormFirst }, new() { LongTexts = LongTextHandling.Chunk }];
        Assert.Equal(options.Length, options.Select(o => model.Generator(o).Fingerprint).Distinct().Count());
        Assert.Equal(model.Generator().Fingerprint, model.Generator().GetFingerprint());
    }

    [Fact]
    public async Task Dispose_ThenGenerate_StillWorksSinceTheModelIsOpen()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator();
        generator.Dispose();
        Assert.Single(await generator.GenerateAsync(["still"]));
    }

    [Fact]
    public void GenerateAsync_AnyTexts_EqualsEachAlone()
    {
        MmBertEmbeddingGenerator generator = new LetterModel().Generator();
        Prop.ForAll<string[]>(texts =>
        {
            string[] valid = [.. texts.Where(text => text is not null)];
            GeneratedEmbeddings<Embedding<float>> together = generator.GenerateAsync(valid).GetAwaiter().GetResult();
            return valid.Length == together.Count && valid.Zip(together).All(pair =>
                generator.GenerateVectorAsync(pair.First).GetAwaiter().GetResult().Span.SequenceEqual(pair.Second.Vector.Span));
        }).QuickCheckThrowOnFailure();
    }

    private sealed class FixedClock : TimeProvider
    {
        public static readonly DateTimeOffset Now = new(2031, 4, 5, 6, 7, 8, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
